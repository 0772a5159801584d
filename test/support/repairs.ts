import type { DeadLetterQueue } from '../../app/activity/dead-letter-sweep.ts'
import type { Repair, RepairStore } from '../../app/activity/repair.ts'
import type { AssetEvent } from '../../app/ingest/event.ts'
import type { ReceivedDeadLetter } from '../../app/queue/dead-letter-reader.ts'

/** Keeps the progress of repairs in memory, as the journal does. */
export class MemoryRepairStore implements RepairStore {
  readonly saved: Repair[] = []
  readonly #repairs = new Map<string, Repair>()
  readonly #aborts = new Map<string, string>()

  async save(repair: Repair) {
    this.saved.push(repair)
    this.#repairs.set(repair.id, repair)
    const abortedBy = this.#aborts.get(repair.id)
    return abortedBy === undefined ? {} : { abortedBy }
  }

  async find(id: string) {
    const repair = this.#repairs.get(id)
    const abortedBy = this.#aborts.get(id)
    return repair && { ...repair, ...(abortedBy !== undefined && { abortedBy }) }
  }

  async requestAbort(id: string, by: string) {
    if (!this.#repairs.has(id)) return false
    this.#aborts.set(id, by)
    return true
  }

  async recent() {
    return [...this.#repairs.values()].toSorted((a, b) => b.at.localeCompare(a.at))
  }
}

/** A dead-letter queue in memory. Its readers return each message that no other one holds. */
export class MemoryDeadLetters implements DeadLetterQueue {
  readonly messages: ReceivedDeadLetter[] = []
  readonly #held = new Set<ReceivedDeadLetter>()
  #next = 0

  put(event: AssetEvent | undefined, sentAt = 0): void {
    const id = String(++this.#next)
    this.messages.push({ id, receiptHandle: id, event, reason: undefined, sentAt, bytes: 1 })
  }

  get events(): (string | undefined)[] {
    return this.messages.map(({ event }) => event?.id)
  }

  count = async (): Promise<number> => this.messages.length

  open = (): ReturnType<DeadLetterQueue['open']> => {
    const held: ReceivedDeadLetter[] = []
    return {
      receive: async () => {
        const received = this.messages.filter((message) => !this.#held.has(message)).slice(0, 10)
        for (const message of received) {
          this.#held.add(message)
          held.push(message)
        }
        return received
      },
      delete: async (deadLetter) => {
        this.messages.splice(this.messages.indexOf(deadLetter), 1)
        return true
      },
      release: async () => {
        for (const message of held) this.#held.delete(message)
      }
    }
  }
}
