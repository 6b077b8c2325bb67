/** Renders the catalogue as the runbook, docs/runbook.md. A test compares the two. */
import { ALERTS } from './catalogue.ts';
import { boardOf, isRendered } from './render-options.ts';
import { type AlertRule, type AlertThreshold, isAbsent, SEVERITY_MEANING } from './rule.ts';
import { type AlertKey, RULES } from './rules.ts';

export function renderRunbook(): string {
  return `# Runbook

One section for each signal an alert can be about, then one for each alert on CloudWatch and Prometheus. Made from the catalogue of alerts by \`mlmon render runbook\`; change the catalogue, not this file.

Severities: ${Object.entries(SEVERITY_MEANING)
    .map(([severity, meaning]) => `**${severity}** ${meaning}`)
    .join('; ')}.

${[...Object.values(ALERTS).map(signalSection), ...RULES.map(ruleSection)].join('\n')}`;
}

function signalSection({ signal, title, meaning, look, act, recovery }: (typeof ALERTS)[keyof typeof ALERTS]): string {
  return `## ${signal}

**${title}.** ${meaning}

### What to look at

${bullets(look)}

### What to do

${numbered(act)}

### When it ends

${recovery}
`;
}

function ruleSection(rule: AlertRule<AlertKey>): string {
  const { key, name, summary, severity, owner, description, threshold, missing, look, act } = rule;
  const holds = rule.for === '0m' ? 'at once' : `after ${rule.for}`;
  const told =
    owner === 'episodes'
      ? 'by the notifier, when the episode opens; this alert shows that it is open'
      : 'by this alert';
  return `## ${key}

**${summary}.** ${description}

\`${name}\`, ${severity}, ${holds}. People are told ${told}. ${thresholdText(threshold)} Missing data ${MISSING[missing.treatment]}: ${missing.reason}.${absences(rule)}${dashboard(rule)}

### What to look at

${bullets(look)}

### What to do

${numbered(act)}
`;
}

const MISSING = { breaching: 'are the alert', notBreaching: 'are no alert', ignore: 'leave it as it is' } as const;

function thresholdText(threshold: AlertThreshold | null): string {
  if (threshold === null) return 'It has no threshold.';
  const { value, unit, meaning } = threshold;
  return `Threshold: ${value.toLocaleString('en')}${unit === 'seconds' ? ' s' : ''}, ${meaning}.`;
}

function absences({ prometheus, cloudwatch }: AlertRule): string {
  return [
    isAbsent(prometheus) ? ` Not in Prometheus: ${prometheus.absent}.` : '',
    isAbsent(cloudwatch) ? ` Not in CloudWatch: ${cloudwatch.absent}.` : '',
  ].join('');
}

/** Where its alerts link to. */
function dashboard(rule: AlertRule<AlertKey>): string {
  return isRendered(rule, 'prometheus', 'machines') ? ` In Grafana: the dashboard \`${boardOf(rule).key}\`.` : '';
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join('\n');
}

function numbered(lines: readonly string[]): string {
  return lines.map((line, i) => `${i + 1}. ${line}`).join('\n');
}
