/**
 * Loading the rules of CloudFormation takes seconds of a process; whole-stack.test.ts holds every environment against them. Imported by tests
 * that are about something else.
 */
process.env['CDK_VALIDATION'] = 'false';
