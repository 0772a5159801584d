import { globSync, readFileSync } from 'node:fs'
import { CfnGuardValidator } from '@cdklabs/cdk-validator-cfnguard'
import { App } from 'aws-cdk-lib'

/** A violation of a proactive control of AWS Control Tower. */
export interface Finding {
  /** Such as CT.S3.PR.11. */
  control: string
  /** Logical id of the resource, without the CDK's hash. */
  resource: string
  /** What the control requires. */
  description: string
}

/** A violation that stays, and why. */
interface Exception {
  resource: RegExp
  reason: string
}

/** By control. https://docs.aws.amazon.com/controltower/latest/controlreference/proactive-controls.html */
export const EXCEPTIONS: Record<string, Exception> = {
  'CT.CLOUDWATCH.PR.1': {
    resource: /^DeploymentAlarms/,
    reason: 'ECS reads their state during a deployment; the alarms that notify people are others.'
  },
  'CT.CLOUDWATCH.PR.2': {
    resource: /Log$/,
    reason: 'The setting logRetentionDays decides; logs hold addresses and names, so its default is 90 days.'
  },
  'CT.CLOUDWATCH.PR.3': {
    resource: /Log$/,
    reason: "With customerKey=true they are encrypted by a key of your own; by default by CloudWatch's."
  },
  'CT.ECS.PR.7': {
    resource: /^Services\w+Task$/,
    reason: 'Fargate limits the memory of each task. Only web sizes its budgets by a limit of its container.'
  },
  'CT.ELASTICLOADBALANCING.PR.1': {
    resource: /^EntryLoadBalancerHttp$/,
    reason: 'Only without domainName, for a trial without a certificate; synthesis warns.'
  },
  'CT.ELASTICLOADBALANCING.PR.5': {
    resource: /^EntryLoadBalancer$/,
    reason: 'It holds no data, and `npm run destroy` must be able to delete a trial.'
  },
  'CT.KMS.PR.3': {
    resource: /^(Key)?$/,
    reason:
      "The key policy leaves grants to IAM, as the CDK's default does; no role of the listener may grant."
  },
  'CT.LAMBDA.PR.3': {
    resource: /^Custom\w+Handler$/,
    reason: "The CDK's own functions run during a deployment only, and call public endpoints of AWS."
  },
  'CT.RDS.PR.2': {
    resource: /^DatabaseClusterWriter$/,
    reason:
      'Aurora publishes its metrics without it; enhanced monitoring adds a role, and a cost by the second.'
  },
  'CT.RDS.PR.3': {
    resource: /^DatabaseCluster$/,
    reason: 'Only with retainData=false, for a trial.'
  },
  'CT.S3.PR.10': {
    resource: /^(EntryAccessLogs|Archive)$/,
    reason:
      'A load balancer writes access logs only to buckets with S3-managed encryption. With customerKey=true the ' +
      'archive has a key of your own.'
  },
  'CT.S3.PR.11': {
    resource: /^(EntryAccessLogs|Archive)$/,
    reason: 'Objects are never overwritten with other content.'
  },
  'CT.S3.PR.2': {
    resource: /^(EntryAccessLogs|Archive)$/,
    reason:
      'Access logs would need another log bucket. CloudTrail data events record who reads the archive, where that ' +
      'is required.'
  },
  'CT.S3.PR.4': {
    resource: /^(EntryAccessLogs|Archive)$/,
    reason: 'Nothing acts on single objects; the processor `eventBridge` sends each event.'
  },
  'CT.S3.PR.6': {
    resource: /^Archive$/,
    reason: 'An archive is kept until you decide otherwise.'
  },
  'CT.S3.PR.9': {
    resource: /^(EntryAccessLogs|Archive)$/,
    reason:
      'An object lock would prevent the expiry of addresses after logRetentionDays, and the deletion of personal ' +
      'data from the archive.'
  }
}

const RULES = 'node_modules/@cdklabs/cdk-validator-cfnguard/rules/control-tower/cfn-guard'

const typesIn = (text: string) => new Set(text.match(/AWS::\w+::\w+/g))

/** Evaluates the controls about the resource types of the templates: others cannot fail, and take minutes. */
export function findingsOf(templatePaths: string[]): { controls: number; findings: Finding[] } {
  const used = typesIn(templatePaths.map((path) => readFileSync(path, 'utf8')).join('\n'))
  const rules = globSync(`${RULES}/**/*.guard`).filter(
    (path) => !typesIn(readFileSync(path, 'utf8')).isDisjointFrom(used)
  )
  const { violations } = new CfnGuardValidator({
    controlTowerRulesEnabled: false,
    rules,
    maxBuffer: 2 ** 28
  }).validate({ templatePaths, appConstruct: new App() })
  const findings = violations.flatMap(({ description, violatingResources }) => {
    const [, control = '', requires = ''] = /\[(CT[^\]]*)\]: *(.*)/.exec(description) ?? []
    return violatingResources.map(({ resourceLogicalId }) => ({
      control,
      // the validator does not find the resource of a rule about a whole policy
      resource: (resourceLogicalId ?? '').replace(/[0-9A-F]{8}$/, ''),
      description: requires
    }))
  })
  return { controls: rules.length, findings }
}

/** Returns a line for each finding without an exception, and for each exception without a finding. */
export function problemsOf(findings: readonly Finding[]): string[] {
  const unexpected = findings
    .filter(({ control, resource }) => !EXCEPTIONS[control]?.resource.test(resource))
    .map(({ control, resource, description }) => `${control} ${resource}: ${description}`)
  const unused = Object.keys(EXCEPTIONS)
    .filter((control) => !findings.some((finding) => finding.control === control))
    .map((control) => `${control}: the exception is no longer needed`)
  return [...new Set([...unexpected, ...unused])].toSorted()
}
