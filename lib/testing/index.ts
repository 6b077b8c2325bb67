/** `ml-monitoring-constructs/testing`: assertions for tests of stacks that are monitored. */
export { MonitoredTemplate, type Receivers } from './monitored-template.ts';
