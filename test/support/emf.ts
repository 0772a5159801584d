/** Limits of CloudWatch's Embedded Metric Format, from its specification and JSON schema. */
const UNITS =
  /^(?:(?:Seconds|Microseconds|Milliseconds|Percent|None)|(?:Count|(?:Kilo|Mega|Giga|Tera)?(?:bytes|bits)|Bytes|Bits)(?:\/Second)?)$/
const MAXIMUM = {
  bytes: 1024 * 1024,
  dimensions: 30,
  metrics: 100,
  values: 100,
  nameLength: 255,
  dimensionLength: 1024
}

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown, length: number): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= length

/**
 * Returns the violations of the specification in a line.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export function violationsOf(line: string): string[] {
  if (Buffer.byteLength(line) > MAXIMUM.bytes) return ['the line is too long']
  let root: unknown
  try {
    root = JSON.parse(line)
  } catch {
    return ['the line is not JSON']
  }
  if (!isObject(root)) return ['the root is not an object']
  const metadata = root._aws
  if (!isObject(metadata)) return ['_aws is not an object']
  const violations: string[] = []
  if (!Number.isInteger(metadata.Timestamp)) violations.push('_aws.Timestamp is not a whole number')
  const directives = metadata.CloudWatchMetrics
  if (!Array.isArray(directives)) return [...violations, '_aws.CloudWatchMetrics is not an array']
  return [...violations, ...directives.flatMap((directive) => directiveViolations(directive, root))]
}

function directiveViolations(directive: unknown, root: Json): string[] {
  if (!isObject(directive)) return ['a directive is not an object']
  const { Namespace, Dimensions, Metrics } = directive
  const violations: string[] = []
  if (!isText(Namespace, 255)) violations.push('Namespace')
  if (!Array.isArray(Dimensions) || Dimensions.length === 0) violations.push('Dimensions')
  else for (const set of Dimensions) violations.push(...dimensionViolations(set, root))
  if (!Array.isArray(Metrics) || Metrics.length > MAXIMUM.metrics) violations.push('Metrics')
  else for (const metric of Metrics) violations.push(...metricViolations(metric, root))
  return violations
}

function dimensionViolations(set: unknown, root: Json): string[] {
  if (!Array.isArray(set) || set.length > MAXIMUM.dimensions) return ['a dimension set']
  return set
    .filter((name) => !isText(name, MAXIMUM.nameLength) || !isText(root[name], MAXIMUM.dimensionLength))
    .map((name) => `dimension ${name}`)
}

function metricViolations(metric: unknown, root: Json): string[] {
  if (!isObject(metric) || !isText(metric.Name, MAXIMUM.nameLength)) return ['a metric without a name']
  const { Name, Unit, StorageResolution } = metric
  const violations: string[] = []
  if (Unit !== undefined && !(typeof Unit === 'string' && UNITS.test(Unit)))
    violations.push(`unit of ${Name}`)
  if (StorageResolution !== undefined && StorageResolution !== 1 && StorageResolution !== 60)
    violations.push(`resolution of ${Name}`)
  const target = root[Name]
  const values = Array.isArray(target) ? target : [target]
  if (values.length === 0 || values.length > MAXIMUM.values) violations.push(`number of values of ${Name}`)
  if (!values.every((value) => typeof value === 'number' && Number.isFinite(value)))
    violations.push(`values of ${Name}`)
  return violations
}

/**
 * Returns all values of each metric, by name and dimensions (`AckLatency{Role=web}`), as CloudWatch extracts
 * them.
 *
 * @throws {Error} for a line that violates the specification
 */
export function metricsOf(lines: readonly string[]): Map<string, number[]> {
  const metrics = new Map<string, number[]>()
  for (const line of lines) {
    const violations = violationsOf(line)
    if (violations.length > 0) throw new Error(`${violations.join(', ')}: ${line}`)
    const root = JSON.parse(line)
    for (const { Dimensions, Metrics } of root._aws.CloudWatchMetrics) {
      for (const set of Dimensions as string[][]) {
        const dimensions = set.map((name) => `${name}=${root[name]}`).join(',')
        for (const { Name } of Metrics as { Name: string }[]) {
          const key = `${Name}{${dimensions}}`
          metrics.set(key, [...(metrics.get(key) ?? []), ...[root[Name]].flat()])
        }
      }
    }
  }
  return metrics
}
