import { ApiError } from './api-error.ts'
import type { Delivery } from './notifier.ts'

/** Notifications to drop without an attempt. */
export interface Drop {
  /** Maximum number of notifications to drop. (Default: all, until cleared) */
  count?: number
  notificationType?: string
  when?: (notification: Pick<Delivery, 'notificationType' | 'body'>) => boolean
}

/** Parses a drop from JSON or a form. @throws {ApiError} 400 */
export function parseDrop({ count, notification_type: type }: Record<string, unknown>): Drop {
  const number = count === undefined ? undefined : Number(count)
  if (number !== undefined && !(number >= 1)) {
    throw new ApiError(400, `Invalid value ${count} for parameter count`)
  }
  return {
    ...(number !== undefined && { count: number }),
    ...(type !== undefined && { notificationType: String(type) })
  }
}

/** Decides which notifications are dropped. */
export class Drops {
  #drops: Drop[] = []

  add(drop: Drop): void {
    this.#drops.push({ ...drop })
  }

  clear(): void {
    this.#drops = []
  }

  /** Returns whether a notification is dropped, and counts it. */
  take(notification: Pick<Delivery, 'notificationType' | 'body'>): boolean {
    const taking = this.#drops.find(
      ({ notificationType, when }) =>
        (notificationType === undefined || notificationType === notification.notificationType) &&
        (when === undefined || when(notification))
    )
    if (taking?.count !== undefined) {
      taking.count -= 1
      if (taking.count <= 0) this.#drops = this.#drops.filter((drop) => drop !== taking)
    }
    return taking !== undefined
  }
}
