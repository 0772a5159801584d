import { ArnFormat, type Stack } from 'aws-cdk-lib'

/** Names that are fixed rather than made up by CloudFormation: other regions, people and documents refer to them. */
export const namesOf = (name: string) => ({
  secret: `${name}/cloudinary`,
  forwardSecret: `${name}/forward`,
  databaseSecret: `${name}/database`,
  /** Of variables of processors' own. */
  processorsSecret: `${name}/processors`,
  journal: `${name}-journal`,
  queue: `${name}-events.fifo`,
  deadLetterQueue: `${name}-dead-letters.fifo`,
  cluster: name,
  /** Dashboards of all regions are in one list. */
  dashboard: (region: string) => `${name}-${region}`,
  activity: (region: string) => `${name}-activity-${region}`,
  alarm: (alarm: string) => `${name} ${alarm}`,
  /** The namespace of the listener's own metrics, and the firewall's name among those of AWS WAF. */
  metrics: name,
  firewall: `${name}-firewall`,
  /** Of a role, or of the operator's commands. */
  family: (role: string) => `${name}-${role}`,
  logGroup: (role: string) => `/${name}/${role}`
})

/** A secret's ARN by its name: AWS appends six characters that nobody knows beforehand. */
export const secretArn = (stack: Stack, secretName: string): string =>
  stack.formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${secretName}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME
  })
