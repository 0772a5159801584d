import { setTimeout as sleep } from 'node:timers/promises'
import { RepairRunner } from '../../app/activity/repair-runner.ts'
import { CHANGE_KINDS } from '../../app/commands/reconcile/change-kinds.ts'
import { reconcile } from '../../app/commands/reconcile/reconcile.ts'
import { moveDeadLetters } from '../../app/commands/redrive/move-dead-letters.ts'
import { replay } from '../../app/commands/replay.ts'
import { ListenerError } from '../../app/errors.ts'
import { createActivityStore } from '../../app/journal/activity-reader.ts'
import { discardEvent } from '../../app/journal/discard-event.ts'
import { JournalReader } from '../../app/journal/journal-reader.ts'
import { StateStore } from '../../app/journal/processor-state.ts'
import { RepairItems } from '../../app/journal/repair-items.ts'
import { DeadLetterReader } from '../../app/queue/dead-letter-reader.ts'
import { messagesIn } from '../../app/queue/sqs-client.ts'
import { newRunId } from '../../app/wiring.ts'
import { DEAD_LETTER_QUEUE_URL, type Dependencies, partsOf, QUEUE_URL } from './parts.ts'
import type { CommandPlan } from './plan.ts'

/** Runs an operator's command to its end. `ids`: events that the journal may know. */
export async function runCommand(
  kind: CommandPlan['kind'],
  ids: readonly string[],
  dependencies: Dependencies
): Promise<void> {
  const { environments, clients, log, sqs, table, sender } = partsOf(dependencies)
  const { ledger } = dependencies
  const origin = { by: 'operator', at: new Date(Date.now()).toISOString(), from: 'command' as const }
  const never = new AbortController().signal
  const print = (line: string) => ledger.tell(line)
  switch (kind) {
    case 'redrive':
      await moveDeadLetters(
        { ids: [], types: [], dryRun: false },
        {
          reader: new DeadLetterReader({ sqs, queueUrl: DEAD_LETTER_QUEUE_URL, log }),
          sender,
          print,
          runId: newRunId(),
          origin,
          signal: never,
          clock: Date.now
        }
      )
      return
    case 'replay':
      await replay(
        { ids, dryRun: false },
        { journal: new JournalReader(table), sender, print, runId: newRunId(), origin }
      )
      return
    case 'reconcile':
      await environments.load()
      await reconcile(
        { since: undefined, kinds: CHANGE_KINDS, cloudNames: undefined, graceMs: 45 * 60_000, dryRun: false },
        {
          environments,
          clients,
          table,
          state: new StateStore(table),
          sender,
          waiting: () => messagesIn(sqs, QUEUE_URL),
          print,
          signal: never,
          pageSize: 3,
          clock: Date.now
        }
      )
      return
    default: {
      const runner = new RepairRunner({
        store: createActivityStore({ ...table, budget: { events: 2000, milliseconds: 1e9 } }),
        repairs: new RepairItems(table),
        journal: new JournalReader(table),
        discardEvent: (id, discard) => discardEvent(table, id, discard),
        sender,
        deadLetters: {
          open: () => new DeadLetterReader({ sqs, queueUrl: DEAD_LETTER_QUEUE_URL, log }),
          count: () => messagesIn(sqs, DEAD_LETTER_QUEUE_URL)
        },
        log,
        clock: Date.now,
        newRunId
      })
      const action =
        kind === 'discard'
          ? ({ kind: 'discard', reason: 'the asset is not needed' } as const)
          : ({ kind: 'replay', failedOnly: kind === 'repair failed' } as const)
      const selection = kind === 'repair all' ? { ids } : { filter: { status: ['dead' as const] } }
      const { id } = await runner.start({ ...action, selection, by: 'operator', from: 'page' }, never)
      while ((await runner.find(id))?.state === 'running') await sleep(500)
      const { state, failed } = (await runner.find(id)) ?? { state: 'unknown', failed: 0 }
      await runner.stop()
      if (state !== 'done' || failed > 0)
        throw new ListenerError('REPAIR_INCOMPLETE', `the repair is ${state}, and ${failed} events failed`)
    }
  }
}
