import { setTimeout as sleep } from 'node:timers/promises'
import { isNotFound } from '../../app/cloudinary/cloudinary-error.ts'
import { ListenerError, PermanentError, RetryLaterError } from '../../app/errors.ts'
import type { AssetEvent } from '../../app/ingest/event.ts'
import type { Processor, ProcessorContext } from '../../app/processor.ts'
import { helloWorldTag } from '../../app/processors/hello-world-tag.ts'
import { lastUpdateTimestamp } from '../../app/processors/last-update-timestamp.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { Plan } from './plan.ts'
import { between, chanceOf, pick } from './random.ts'
import type { SimulatedProcess } from './scheduler.ts'

/** What a processor does with an event besides succeeding. */
type Script =
  | { kind: 'succeeds' | 'always fails' | 'permanent' | 'hangs' }
  | { kind: 'fails' | 'crashes' | 'crashes after'; times: number }
  | { kind: 'later' | 'slow'; seconds: number }

/** A new promise each time: it would keep what waits for it in memory. */
const never = () => new Promise<never>(() => {})

export interface ProcessorOptions {
  plan: Plan
  ledger: Ledger
  process: SimulatedProcess
  /** Kills the process after the current task. */
  crash: () => void
}

/** Names of the processors that handle every acknowledged change. */
export const RECORDING = ['record']

/**
 * The processors of the simulated listener: two of the project's own, which change assets, and two that follow a script
 * by the seed. `audit` also asks for own changes.
 */
export function processorsOf(options: ProcessorOptions): Processor[] {
  return [
    { name: 'record', on: ['*'] as const, timeoutSeconds: 45, handle: scripted('record', options) },
    helloWorldTag({ tag: 'hello' }),
    lastUpdateTimestamp({ field: 'stamp' }),
    {
      name: 'audit',
      on: ['upload', 'resource_tags_changed', 'delete'] as const,
      ownChanges: true,
      handle: scripted('audit', options)
    }
  ].map((processor) => tracked(processor, options.ledger))
}

function tracked(processor: Processor, ledger: Ledger): Processor {
  return {
    ...processor,
    async handle(event, context) {
      const run = ledger.started(processor.name, event, context.signal)
      try {
        const note = await processor.handle(event, context)
        ledger.succeeded(run)
        return note
      } catch (error) {
        ledger.failed(run, error)
        throw error
      }
    }
  }
}

function scripted(name: string, { plan, ledger, process, crash }: ProcessorOptions): Processor['handle'] {
  // by the key of the run: how often it was started in any process
  return async (event, context) => {
    const script = scriptOf(name, event, plan)
    const starts = ledger.attempts.callsOf(name, event)
    await readAsset(event, context, ledger)
    switch (script.kind) {
      case 'succeeds':
        return
      case 'permanent':
        throw new PermanentError('the script says so', { code: 'SIM_PERMANENT' })
      case 'always fails':
        throw new ListenerError('SIM_TEMPORARY', 'the script says so')
      case 'fails':
        if (starts <= script.times) throw new ListenerError('SIM_TEMPORARY', `attempt ${starts}`)
        return
      case 'later':
        if (starts > 1) return
        throw new RetryLaterError('the script says so', new Date(Date.now() + script.seconds * 1000))
      case 'slow':
        await sleep(script.seconds * 1000, undefined, { signal: context.signal })
        return
      case 'hangs':
        return starts > 1 ? undefined : never()
      case 'crashes':
        if (starts > script.times || process.dead) return
        crash()
        return never()
      case 'crashes after':
        if (starts <= script.times) crash()
    }
  }
}

/** Looks up an asset whose kind the notification leaves out, and remembers something about it. */
async function readAsset(
  event: AssetEvent,
  { cloudinary, state }: ProcessorContext,
  ledger: Ledger
): Promise<void> {
  if (event.asset === null || event.type === 'delete') return
  try {
    const { resourceType } = await cloudinary.identify(event.asset)
    const { kind } = ledger.changes.of(event) ?? {}
    if (kind !== undefined && kind !== resourceType) {
      ledger.violated(
        '10 nothing is guessed',
        `${event.id} is about a ${kind}, and taken for a ${resourceType}`
      )
    }
    await cloudinary.currentState({ ...event.asset, resourceType, deliveryType: 'upload' })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  await state.set(event.asset.assetId ?? '', event.id)
}

function scriptOf(name: string, event: AssetEvent, { seed, failureRate }: Plan): Script {
  const chance = (what: string) => chanceOf(seed, `${what} ${name} ${event.id}`)
  // an operator redrives after the cause is fixed, mostly
  if (chance('trouble') >= failureRate || (event.run && chance(`fixed ${event.run.id}`) < 0.8))
    return { kind: 'succeeds' }
  const times = between(1, 3, chance('times'))
  return pick<Script>(
    [
      { kind: 'fails', times },
      { kind: 'fails', times },
      { kind: 'always fails' },
      { kind: 'permanent' },
      { kind: 'later', seconds: between(5, 1800, chance('seconds')) },
      { kind: 'slow', seconds: between(5, 44, chance('seconds')) },
      { kind: 'slow', seconds: between(5, 400, chance('seconds')) },
      { kind: 'hangs' },
      { kind: 'crashes', times },
      { kind: 'crashes after', times: 1 }
    ],
    chance('script')
  )
}
