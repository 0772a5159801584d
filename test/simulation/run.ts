import { planOf } from './plan.ts'
import { simulate } from './simulation.ts'

const args = process.argv.slice(2)
const option = (name: string) => {
  const index = args.indexOf(`--${name}`)
  return index === -1 ? undefined : Number(args[index + 1])
}
const seed = option('seed')
const started = performance.now()
const now = performance.now.bind(performance)
let steps = 0
let seeds = 0
const maximumSeconds = option('seconds') ?? 10
for (let next = seed ?? 1; ; next++) {
  const result = await simulate(planOf(next), { tells: seed !== undefined })
  steps += result.steps
  seeds++
  if (seed !== undefined) for (const line of result.story) console.log(line)
  if (seed !== undefined || result.violation) {
    console.log(
      `seed ${next}: ${result.steps} steps, ${result.minutes} min, trace ${result.trace}: ${result.violation?.message ?? 'ok'}`
    )
  }
  if (seed !== undefined || now() - started > maximumSeconds * 1000) break
}
const seconds = (now() - started) / 1000
console.log(
  `${steps} steps, ${seeds} seeds, ${seconds.toFixed(1)} s, ${Math.round((steps / seconds) * 60)} steps/min`
)
