import type { Resource, Template } from './templates.ts'

/**
 * Simulation of Application Auto Scaling with the policies of a template, and of a service that drains a queue. All
 * times are in minutes; nothing is random.
 * Source: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html
 */
export interface Load {
  /** Messages that arrive in a minute. */
  arrivals: (minute: number) => number
  /** Seconds for which a message occupies a part of the concurrency. */
  serviceSeconds: number
  /** CPU time of a message, in milliseconds. */
  cpuMs: number
  /** CPU of an idle task, in percent. */
  idleCpu?: number
  /** True if all messages are of one asset, so they are processed one by one. */
  isOneAsset?: boolean
  /** Messages that are hidden for a retry all the time. */
  retrying?: number
}

export interface Conditions {
  minutes: number
  /** Age of the newest data point that an alarm sees. */
  lag: number
  /** From a change of the desired count until the task works. */
  start: number
  /** Of one task. */
  vcpu: number
  concurrency: number
  initialTasks: number
}

/** What CloudWatch has of a minute; undefined where there is no data point. */
type Point = Record<string, number | undefined>

interface Metric {
  MetricName: string
}

/** Names of metrics in the simulation, by CloudWatch's. */
const POINTS: Record<string, string> = {
  ApproximateNumberOfMessagesVisible: 'visible',
  ApproximateNumberOfMessagesNotVisible: 'hidden',
  ApproximateAgeOfOldestMessage: 'oldest',
  DesiredTaskCount: 'desired',
  RunningTaskCount: 'running',
  CPUUtilization: 'cpu',
  ConcurrencyUsed: 'busy'
}

/** Value of a policy's metric at a minute; undefined if CloudWatch has too little data. */
type Evaluate = (history: readonly Point[], minute: number) => number | undefined

/** Compiles an expression of CloudWatch with its metrics, by id. */
function compile(expression: string, metrics: Record<string, Metric>): Evaluate {
  const ids = Object.keys(metrics)
  const body = expression
    .replace(/\bAND\b/g, '&&')
    .replace(/FILL\((\w+), REPEAT\)/g, 'FILL("$1", "REPEAT")')
    .replace(/FILL\((\w+), (-?\d+)\)/g, 'FILL("$1", $2)')
  const run = new Function('FILL', 'IF', ...ids, `return ${body}`) as (...values: unknown[]) => number
  const needed = ids.filter((id) => new RegExp(`\\b${id}\\b`).test(expression.replace(/FILL\([^)]*\)/g, '')))
  return remembering((history, minute) => {
    const at = (id: string, when: number) => history[when]?.[POINTS[metrics[id]!.MetricName]!]
    if (needed.some((id) => at(id, minute) === undefined)) return undefined
    const fill = (id: string, by: number | 'REPEAT') => {
      if (by !== 'REPEAT') return at(id, minute) ?? by
      for (let when = minute; when >= 0; when--) {
        const value = at(id, when)
        if (value !== undefined) return value
      }
      return Number.NaN
    }
    const choose = (condition: unknown, yes: number, no: number) => (condition ? yes : no)
    const value = run(fill, choose, ...ids.map((id) => at(id, minute)))
    return Number.isNaN(value) ? undefined : Number(value)
  })
}

/** Evaluates each minute once, for one simulation: many decisions look at the same past, which does not change. */
function remembering(evaluate: Evaluate): Evaluate {
  const values = new Map<number, number | undefined>()
  return (history, minute) => {
    if (!values.has(minute)) values.set(minute, evaluate(history, minute))
    return values.get(minute)
  }
}

interface Tracking {
  kind: 'tracking'
  evaluate: Evaluate
  target: number
  out: number
  in: number
}

interface Stepping {
  kind: 'stepping'
  evaluate: Evaluate
  threshold: number
  periods: number
  cooldown: number
  adjust: (tasks: number, above: number) => number
}

const policiesOf = (template: Template, service: string): (Tracking | Stepping)[] =>
  template
    .all('ApplicationAutoScaling::ScalingPolicy', service)
    .map((policy) =>
      policy.Properties.PolicyType === ('TargetTrackingScaling' as never)
        ? tracking(policy)
        : stepping(template, policy)
    )

function tracking({ Properties }: Resource): Tracking {
  const { TargetValue, ScaleOutCooldown, ScaleInCooldown, CustomizedMetricSpecification } =
    Properties.TargetTrackingScalingPolicyConfiguration as unknown as {
      TargetValue: number
      ScaleOutCooldown: number
      ScaleInCooldown: number
      CustomizedMetricSpecification: {
        Metrics: { Id: string; Expression?: string; MetricStat?: { Metric: Metric } }[]
      }
    }
  const { Metrics } = CustomizedMetricSpecification
  return {
    kind: 'tracking',
    evaluate: compile(Metrics.find(({ Expression }) => Expression)!.Expression!, metricsIn(Metrics)),
    target: TargetValue,
    out: ScaleOutCooldown / 60,
    in: ScaleInCooldown / 60
  }
}

const metricsIn = (parts: { Id: string; MetricStat?: { Metric: Metric } }[]) =>
  Object.fromEntries(parts.flatMap(({ Id, MetricStat }) => (MetricStat ? [[Id, MetricStat.Metric]] : [])))

function stepping(template: Template, { id, Properties }: Resource): Stepping {
  const { AdjustmentType, Cooldown, MinAdjustmentMagnitude, StepAdjustments } =
    Properties.StepScalingPolicyConfiguration as unknown as {
      AdjustmentType: string
      Cooldown: number
      MinAdjustmentMagnitude?: number
      StepAdjustments: {
        MetricIntervalLowerBound?: number
        MetricIntervalUpperBound?: number
        ScalingAdjustment: number
      }[]
    }
  const alarm = template
    .all('CloudWatch::Alarm')
    .find(({ Properties }) => JSON.stringify(Properties.AlarmActions ?? []).includes(id))!
    .Properties as unknown as {
    Threshold: number
    EvaluationPeriods: number
    Metrics: { Id: string; Expression?: string; MetricStat?: { Metric: Metric } }[]
  }
  return {
    kind: 'stepping',
    evaluate: compile(
      alarm.Metrics.find(({ Expression }) => Expression)!.Expression!,
      metricsIn(alarm.Metrics)
    ),
    threshold: alarm.Threshold,
    periods: alarm.EvaluationPeriods,
    cooldown: Cooldown / 60,
    adjust(tasks, above) {
      const { ScalingAdjustment: change } = StepAdjustments.find(
        ({ MetricIntervalLowerBound = -Infinity, MetricIntervalUpperBound = Infinity }) =>
          above >= MetricIntervalLowerBound && above < MetricIntervalUpperBound
      )!
      if (AdjustmentType === 'ChangeInCapacity') return tasks + change
      return tasks + Math.max(MinAdjustmentMagnitude ?? 0, Math.ceil((tasks * change) / 100))
    }
  }
}

/** A queue and the tasks that drain it, in steps of a second. */
class Service {
  waiting = 0
  readonly #load: Load
  readonly #conditions: Conditions
  /** When the messages that wait arrived, oldest first, with their number. */
  #arrived: { minute: number; messages: number }[] = []

  constructor(load: Load, conditions: Conditions) {
    this.#load = load
    this.#conditions = conditions
  }

  /** Runs for a minute, and returns the CloudWatch metrics for it. */
  minute(minute: number, desired: number, running: number): Point {
    const { arrivals, serviceSeconds, cpuMs, idleCpu = 2, isOneAsset, retrying = 0 } = this.#load
    const { vcpu, concurrency } = this.#conditions
    const lanes = isOneAsset ? Math.min(1, running) : running * concurrency
    /** Messages that the tasks finish in a second, by their number at a time and by CPU. */
    const rate = Math.min(lanes / serviceSeconds, (running * vcpu * 1000) / cpuMs)
    let [done, busy, visible] = [0, 0, 0]
    for (let second = 0; second < 60; second++) {
      const came = arrivals(minute) / 60
      if (came > 0) this.#arrived.push({ minute: minute + second / 60, messages: came })
      this.waiting += came
      visible = Math.max(visible, this.waiting - rate)
      const ended = Math.min(this.waiting, rate)
      busy += ended < rate ? ended * serviceSeconds : lanes
      this.#take(ended)
      done += ended
    }
    const oldest = this.#arrived[0] ? (minute + 1 - this.#arrived[0].minute) * 60 : 0
    const cpu = (100 * done * cpuMs) / (running * vcpu * 60_000)
    return {
      visible: Math.floor(visible + 1e-6),
      hidden: Math.ceil(busy / 60 - 1e-3) + retrying,
      oldest,
      desired: desired > 0 ? desired : undefined,
      running: running > 0 ? running : undefined,
      cpu: running > 0 ? Math.max(idleCpu, Math.min(100, cpu)) : undefined,
      busy: running > 0 ? Math.min(100, (100 * busy) / 60 / (running * concurrency)) : undefined
    }
  }

  #take(messages: number): void {
    this.waiting = Math.max(0, this.waiting - messages)
    let left = messages
    while (this.#arrived[0] && left > 0) {
      const taken = Math.min(left, this.#arrived[0].messages)
      this.#arrived[0].messages -= taken
      left -= taken
      if (this.#arrived[0].messages < 1e-9) this.#arrived.shift()
    }
    if (this.waiting < 1e-9) this.#arrived = []
  }
}

/** Returns the desired number of tasks of each minute. */
export function simulate(template: Template, service: string, load: Load, conditions: Conditions): number[] {
  const { MinCapacity, MaxCapacity } = template.one('ApplicationAutoScaling::ScalableTarget', service)
    .Properties as unknown as { MinCapacity: number; MaxCapacity: number }
  const within = (tasks: number) => Math.min(MaxCapacity, Math.max(MinCapacity, tasks))
  const policies = policiesOf(template, service)
  const simulated = new Service(load, conditions)
  const history: Point[] = []
  const desired: number[] = []
  /** When each policy acted last, and the tasks before. */
  const acted = new Map<object, { minute: number; before: number }>()
  let [tasks, lastIn] = [conditions.initialTasks, Number.NEGATIVE_INFINITY]
  for (let minute = 0; minute < conditions.minutes; minute++) {
    // a stopped task stops at once, a new one takes time
    const recent = desired.slice(Math.max(0, minute - conditions.start))
    const running = Math.min(tasks, minute < conditions.start ? conditions.initialTasks : tasks, ...recent)
    history.push(simulated.minute(minute, tasks, running))
    const newest = minute - conditions.lag
    const last = (policy: { evaluate: Evaluate }, count: number) =>
      Array.from({ length: count }, (_, index) => policy.evaluate(history, newest - index))

    const wanted: number[] = []
    for (const policy of policies) {
      const { minute: at, before } = acted.get(policy) ?? { minute: Number.NEGATIVE_INFINITY, before: 0 }
      const isTracking = policy.kind === 'tracking'
      const isCooling = minute - at < (isTracking ? policy.out : policy.cooldown)
      // within the cooldown, what was added counts: only a larger change takes effect
      const base = isCooling ? before : tasks
      const values = last(policy, isTracking ? 3 : policy.periods)
      const breaches = (value: number | undefined) =>
        value !== undefined && (isTracking ? value > policy.target : value >= policy.threshold)
      if (!values.every(breaches)) continue
      const [value] = values as [number]
      const want = isTracking
        ? Math.ceil((base * value) / policy.target)
        : policy.adjust(base, value - policy.threshold)
      if (within(want) <= tasks) continue
      wanted.push(want)
      acted.set(policy, { minute: isCooling ? at : minute, before: base })
    }
    const out = within(Math.max(tasks, ...wanted))
    if (out > tasks) tasks = out
    else {
      // every tracking policy must want fewer tasks, and the one that wants most of them decides
      const tracked = policies.filter(({ kind }) => kind === 'tracking') as Tracking[]
      const low = tracked.map((policy) => {
        const values = last(policy, 15)
        return values.every((value) => value !== undefined && value < policy.target * 0.9)
          ? Math.ceil((tasks * values[0]!) / policy.target)
          : tasks
      })
      const fewer = within(Math.max(...low))
      const cooled = minute - lastIn >= Math.max(...tracked.map((policy) => policy.in))
      if (fewer < tasks && cooled) {
        tasks = fewer
        lastIn = minute
      }
    }
    desired.push(tasks)
  }
  return desired
}

/** Number of times that a series turns from rising to falling or back. */
export function turns(series: readonly number[]): number {
  const directions = series
    .slice(1)
    .map((value, index) => Math.sign(value - series[index]!))
    .filter((direction) => direction !== 0)
  return directions.slice(1).filter((direction, index) => direction !== directions[index]).length
}
