import type { AssetEvent, Processor } from '../../app/listener.ts'
import type { FaultKind } from '../../dev/cloudinary/faults.ts'

/** Faults of Cloudinary, and the code with which an attempt then fails. `limited` must be alone: it opens the breaker. */
export const CLOUDINARY_FAULTS: Readonly<Record<string, { fault: () => FaultKind; code: string }>> = {
  hanging: { fault: () => ({ kind: 'hang' }), code: 'CLOUDINARY_UNREACHABLE' },
  failing: { fault: () => ({ kind: 'status', status: 503 }), code: 'CLOUDINARY_UNAVAILABLE' },
  denied: { fault: () => ({ kind: 'status', status: 401 }), code: 'CLOUDINARY_UNAUTHORIZED' },
  limited: { fault: () => ({ kind: 'rate_limit', until: new Date() }), code: 'CLOUDINARY_RATE_LIMITED' }
}

/** Timeout of a call of Cloudinary in a hurried attempt, in milliseconds. By default it is 30 s. */
const HURRIED_MS = 50

/** Returns a processor whose first attempt for some events does not wait long for Cloudinary. */
export function hurried(processor: Processor, isHurried: (event: AssetEvent) => boolean): Processor {
  const attempted = new Set<string>()
  return {
    ...processor,
    handle(event, context) {
      if (isHurried(event) && !attempted.has(event.id)) {
        attempted.add(event.id)
        const { cloudinary } = context
        const call = cloudinary.call.bind(cloudinary)
        cloudinary.call = (name, invoke) => call(name, invoke, HURRIED_MS)
      }
      return processor.handle(event, context)
    }
  }
}
