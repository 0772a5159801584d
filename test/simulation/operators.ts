import { runCommand } from './commands.ts'
import type { StoredMessage } from './models/sqs-messages.ts'
import type { Dependencies } from './parts.ts'
import type { CommandPlan } from './plan.ts'
import { between, chanceOf } from './random.ts'
import { SimulatedProcess } from './scheduler.ts'

/** The people who run commands, each in a process of its own. */
export class Operators {
  /** Number of commands that run, or that an operator is about to run. */
  running = 0
  /** A discard did not end, so an event may be dead without a dead letter. */
  isDiscardCut = false
  readonly #dependencies: Dependencies
  #started = 0

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies
  }

  /** A dead letter was stored, which may make an operator redrive it. */
  noticed({ id }: StoredMessage): void {
    const { plan, network, scheduler } = this.#dependencies
    const chance = (what: string) => chanceOf(plan.seed, `${what} ${id}`)
    if (network.isCalm || chance('redrive') >= (plan.redriveRate ?? 0)) return
    const at = scheduler.now + between(1000, 120_000, chance('reaction'))
    this.running++
    scheduler.at(at, undefined, 'command', () => {
      this.running--
      this.run({ kind: 'redrive' })
    })
  }

  run({ kind, killAfterMs }: Pick<CommandPlan, 'kind' | 'killAfterMs'>): void {
    const { plan, scheduler, ledger, dynamoDb } = this.#dependencies
    const process = new SimulatedProcess(`${kind}-${++this.#started}`, plan.seed)
    process.isCommand = true
    const known = [...dynamoDb.items.keys()].filter((id) => /^[0-9a-f]+$/.test(id))
    const ids = known.filter((id) => chanceOf(plan.seed, `${process.name} ${id}`) < 0.2).slice(0, 5)
    if ((kind === 'replay' || kind === 'repair all') && ids.length === 0) return
    this.running++
    const end = () => {
      if (!process.dead) this.running--
      process.dead = true
    }
    ledger.tell(`an operator runs ${process.name}`)
    scheduler.at(scheduler.now, process, 'command', () => {
      runCommand(kind, ids, this.#dependencies).then(end, (error) => {
        ledger.tell(`${process.name} fails: ${error.code ?? error}`)
        if (error instanceof TypeError) ledger.violated('7 at rest', `${process.name} fails: ${error.stack}`)
        if (kind === 'discard') this.isDiscardCut = true
        end()
      })
    })
    if (killAfterMs === undefined) return
    scheduler.at(scheduler.now + killAfterMs, undefined, 'kill', () => {
      if (!process.dead) ledger.tell(`${process.name} is killed`)
      if (!process.dead && kind === 'discard') this.isDiscardCut = true
      end()
    })
  }
}
