import type { ActivityEventDetail, AttemptRecord, MinuteCounts } from '../../app/activity/activity-store.ts'
import { type EventState, MemoryActivityStore } from '../../app/activity/memory-activity-store.ts'
import type { Repair } from '../../app/activity/repair.ts'
import type { AssetEvent, EventType } from '../../app/ingest/event.ts'
import { changeSummary } from '../../app/ingest/event-change.ts'
import type { ProcessorRecord } from '../../app/journal/processor-record.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { hex } from '../../app/testing/samples/sample-asset.ts'
import type { SampleOptions } from '../../app/testing/samples.ts'
import { sampleEvent } from './events.ts'

/** When the readers of the pages look at them. */
export const NOW = Date.parse('2026-06-01T12:00:00.000Z')

/** Markup that must never become an element, and characters that must not turn the text around it. */
export const HOSTILE = '<script>alert(1)</script>"\'><img src=x onerror=alert(2)>\u202egpj.exe'

export const iso = (milliseconds: number): string => new Date(milliseconds).toISOString()

type Sample = SampleOptions & { variant?: string; change?: Record<string, unknown> }

/** An event received `ago` milliseconds before `now`. */
export function eventAt(type: EventType, ago: number, sample: Sample = {}, now = NOW): AssetEvent {
  const { change, ...options } = sample
  const receivedAt = now - ago
  const event = sampleEvent(type, { now: new Date(receivedAt - 1400), ...options }, change)
  return {
    ...event,
    occurredAt: iso(receivedAt - 1400),
    receivedAt: iso(receivedAt),
    traceId: '1-683c3f00-5f0e0c2d4a8b9c1d2e3f4a5b'
  }
}

export const succeeded = (at: number, milliseconds: number, note?: string): ProcessorRecord => ({
  outcome: 'succeeded',
  at: iso(at),
  attempts: 1,
  waits: 0,
  milliseconds,
  ...(note && { note })
})

export const failed = (
  outcome: 'failed' | 'dead',
  at: number,
  {
    code = 'CLOUDINARY_UNAVAILABLE',
    message = 'addTag: 503 Service Unavailable',
    attempts = 1,
    notBefore = at
  } = {}
): ProcessorRecord => ({
  ...(outcome === 'failed' ? { outcome, notBefore: iso(notBefore) } : { outcome }),
  at: iso(at),
  attempts,
  waits: 0,
  milliseconds: 312,
  code,
  message
})

/** An event that its processors have handled at the first attempt. */
export function doneState(event: AssetEvent, processors: Record<string, number>): EventState {
  const started = Date.parse(event.receivedAt) + 40
  const milliseconds = Object.values(processors).reduce((sum, each) => sum + each, 0)
  return {
    status: 'done',
    attempts: 1,
    startedAt: iso(started),
    finishedAt: iso(started + milliseconds + 6),
    storedAt: iso(started - 22),
    processors: Object.fromEntries(
      Object.entries(processors).map(([name, took]) => [name, succeeded(started, took)])
    ),
    history: [
      {
        id: 'attempt-1',
        startedAt: iso(started),
        endedAt: iso(started + milliseconds + 6),
        processors: Object.fromEntries(
          Object.entries(processors).map(([name, took]) => [
            name,
            { outcome: 'succeeded', milliseconds: took }
          ])
        )
      }
    ],
    ...changed(event)
  }
}

/** An event whose processor `notify` has failed at each attempt. */
export function failingState(
  event: AssetEvent,
  status: 'retrying' | 'dead',
  { code = 'NOTIFY_REJECTED', message = 'notify: 404 channel_not_found', attempts = 3, now = NOW } = {}
): EventState {
  const received = Date.parse(event.receivedAt)
  const history = Array.from({ length: attempts }, (_, index): AttemptRecord => {
    const start = received + 45 + (index === 0 ? 0 : 1500 * 4 ** index)
    const isLast = index === attempts - 1
    return {
      id: `attempt-${index + 1}`,
      startedAt: iso(start),
      endedAt: iso(start + 430),
      processors: {
        ...(index === 0 && { 'hello-world-tag': { outcome: 'succeeded', milliseconds: 112 } }),
        notify: { outcome: status === 'dead' && isLast ? 'dead' : 'failed', milliseconds: 312, code, message }
      }
    }
  })
  const end = Date.parse(history.at(-1)!.endedAt!)
  return {
    status,
    attempts,
    startedAt: history[0]!.startedAt,
    ...(status === 'dead' && { finishedAt: iso(end) }),
    storedAt: iso(received + 19),
    processors: {
      'hello-world-tag': succeeded(received + 45, 112, 'tag added'),
      notify: failed(status === 'dead' ? 'dead' : 'failed', end - 312, {
        code,
        message,
        attempts,
        notBefore: now + 190_000
      })
    },
    lastError: { processor: 'notify', code, message },
    history,
    ...changed(event)
  }
}

export const changed = ({ type, payload }: AssetEvent): Pick<ActivityEventDetail, 'change'> => {
  const change = changeSummary(type, payload)
  return change ? { change } : {}
}

const SECOND = 1000
const MINUTE = 60 * SECOND

const NAMES = [
  'shoes/red',
  'shoes/canvas-low',
  'bags/leather-tote',
  'campaign/2026/summer-hero',
  'people/portrait-07',
  'bags/weekender'
]

/** A store with an afternoon of varied events, some of them hostile. */
export function seededStore(now = NOW, store = new MemoryActivityStore()): MemoryActivityStore {
  const put = (
    event: AssetEvent,
    state: EventState = doneState(event, { 'hello-world-tag': 118, notify: 74 })
  ) => store.put(event, state)
  const at = (type: EventType, ago: number, sample: Sample = {}) => eventAt(type, ago, sample, now)

  const red = { publicId: 'shoes/red' }
  const processing = at('upload', 3 * SECOND, { publicId: 'campaign/2026/autumn-hero' })
  put(processing, {
    status: 'processing',
    attempts: 1,
    startedAt: iso(now - 2.9 * SECOND),
    storedAt: iso(now - 2.98 * SECOND),
    processors: { 'hello-world-tag': { outcome: 'started', at: iso(now - 2900), attempts: 1, waits: 0 } },
    history: [
      {
        id: 'attempt-1',
        startedAt: iso(now - 2900),
        processors: { 'hello-world-tag': { outcome: 'started' } }
      }
    ]
  })
  put(at('resource_tags_changed', 21 * SECOND, { ...red, change: tags(red.publicId, ['sale'], ['draft']) }), {
    status: 'processing',
    attempts: 1,
    startedAt: iso(now - 20.8 * SECOND),
    storedAt: iso(now - 20.9 * SECOND),
    processors: { notify: { outcome: 'started', at: iso(now - 20_800), attempts: 1, waits: 0 } },
    history: [
      { id: 'attempt-1', startedAt: iso(now - 20_800), processors: { notify: { outcome: 'started' } } }
    ],
    change: { added: ['sale'], removed: ['draft'] }
  })
  const moved = at('rename', 48 * SECOND, { publicId: 'inbox/IMG_2041', source: 'ui' })
  put(moved, doneState(moved, { 'hello-world-tag': 96, 'database-sync': 31 }))
  const waiting = at('upload', 70 * SECOND, red)
  put(
    waiting,
    failingState(waiting, 'retrying', {
      code: 'FORWARD_UNAVAILABLE',
      message: 'forward: 503 from cms.example.com after 5 s',
      now
    })
  )
  const video = at('upload', 95 * SECOND, { publicId: 'video/launch-teaser', resourceType: 'video' })
  put(video, doneState(video, { 'hello-world-tag': 131, 'video-preprocess': 4210, notify: 80 }))
  const metadata = at('resource_metadata_changed', 2.2 * MINUTE, { publicId: 'bags/leather-tote' })
  put(metadata, doneState(metadata, { 'last-update-timestamp': 143, 'database-sync': 28 }))
  put(
    at('resource_metadata_changed', 2.3 * MINUTE, {
      publicId: 'bags/leather-tote',
      variant: 'timestamp',
      apiKey: LOCAL_CLOUDINARY.apiKey
    }),
    {
      status: 'ignored',
      attempts: 0,
      reason: "a change made with the listener's own key",
      ...changed(metadata)
    }
  )
  const dead = at('resource_tags_changed', 4 * MINUTE, {
    publicId: 'people/portrait-07',
    change: tags('people/portrait-07', ['approved', 'press'], ['review'])
  })
  put(dead, failingState(dead, 'dead', { now }))
  put(at('delete', 6 * MINUTE, { publicId: 'old/banner-2019' }))
  put(at('create_folder', 7 * MINUTE, { publicId: 'campaign/2026/winter/x' }), {
    status: 'ignored',
    attempts: 0,
    reason: 'no processor is on create_folder'
  })
  put(at('move', 8 * MINUTE, { publicId: 'bags/weekender' }))
  put(at('resource_display_name_changed', 9 * MINUTE, { publicId: 'bags/weekender', source: 'ui' }))
  put(at('moderation', 11 * MINUTE, { publicId: 'ugc/78213' }))
  put(at('upload', 13 * MINUTE, { publicId: 'imports/products-2026-06.csv', resourceType: 'raw' }))

  const hostile = at('resource_tags_changed', 14 * MINUTE, {
    publicId: HOSTILE,
    change: tags(HOSTILE, [HOSTILE], ['</title><svg onload=alert(3)>'])
  })
  put(hostile, {
    ...failingState(hostile, 'dead', {
      code: HOSTILE,
      message: `${HOSTILE} https://hooks.slack.com/services/T0/B0/secret`,
      now
    }),
    run: HOSTILE
  })

  for (let index = 0; index < 130; index++) {
    const publicId = `${NAMES[index % NAMES.length]}-${100 + index}`
    const type = (['upload', 'upload', 'resource_tags_changed', 'resource_context_changed'] as const)[
      index % 4
    ]!
    const event = at(type, 15 * MINUTE + index * 41 * SECOND, { publicId })
    if (index % 23 === 7)
      put(
        event,
        failingState(event, 'dead', {
          code: 'CLOUDINARY_REJECTED',
          message: 'addTag: 400 Invalid tag: too long',
          attempts: 1,
          now
        })
      )
    else if (index % 31 === 3) put(event, failingState(event, 'dead', { now }))
    else put(event)
  }
  for (let index = 0; index < 6; index++) {
    const event = at(index % 2 === 0 ? 'resource_tags_changed' : 'upload', (5 + index * 7) * MINUTE, {
      ...red,
      now: new Date(now - (5 + index * 7) * MINUTE)
    })
    put(event)
  }

  for (let minute = 0; minute < 24 * 60; minute++) {
    const wave = Math.round(14 + 9 * Math.sin(minute / 9) + 4 * Math.sin(minute / 2.3))
    const burst = minute > 18 && minute < 24
    store.minuteCounts.push({
      minute: iso(Math.floor(now / MINUTE) * MINUTE - minute * MINUTE),
      accepted: wave + 2,
      refused: minute % 17 === 0 ? { SIGNATURE_MISSING: 2, SIGNATURE_INVALID: 1 } : {},
      done: burst ? wave - 6 : wave,
      retried: burst ? 7 : minute % 13 === 0 ? 1 : 0,
      dead: burst && minute % 2 === 0 ? 2 : 0,
      ignored: 2,
      processors: {
        'hello-world-tag': { runs: wave, failures: minute % 40 === 0 ? 1 : 0 },
        notify: { runs: wave, failures: burst ? 5 : 0 },
        'database-sync': { runs: 4, failures: 0 }
      },
      acknowledge: { p50: 9, p95: 24 + (minute % 7) * 3, p99: 61 },
      endToEnd: { p95: burst ? 4200 : 310 + (minute % 5) * 40 }
    })
  }
  store.queueSample = {
    at: iso(now - 4 * SECOND),
    waiting: 12,
    inFlight: 6,
    deadLetters: 13,
    oldestSeconds: 21,
    breakerOpen: false
  }
  store.refusedSamples.push(
    {
      at: iso(now - 50 * SECOND),
      code: 'SIGNATURE_MISSING',
      headers: { 'x-cld-signature': 'absent', 'x-cld-timestamp': 'absent' },
      bytes: 312
    },
    {
      at: iso(now - 12 * MINUTE),
      code: 'SIGNATURE_INVALID',
      headers: { 'x-cld-signature': '40 hexadecimal digits', 'x-cld-timestamp': '10 digits' },
      bytes: 1841
    },
    { at: iso(now - 40 * MINUTE), code: 'SIGNATURE_EXPIRED', headers: { [HOSTILE]: HOSTILE } }
  )
  return store
}

const tags = (publicId: string, added: readonly string[], removed: readonly string[]) => ({
  resources: [
    {
      public_id: publicId,
      asset_id: hex(`asset demo/image/${publicId}`, 32),
      resource_type: 'image',
      type: 'upload',
      added,
      removed
    }
  ]
})

/** An event of a list, as the store gives it, made from a sample. */
export function activityEvent(
  type: EventType,
  sample: Sample = {},
  state: Partial<ActivityEventDetail> = {}
): ActivityEventDetail {
  const {
    run: _,
    notificationType: __,
    signedAt: ___,
    reconciled: ____,
    ...event
  } = eventAt(type, 60_000, sample)
  return { status: 'done', attempts: 1, processors: {}, source: 'web', history: [], ...event, ...state }
}

/** The counts of a minute in which nothing else happened. */
export const minuteCounts = (at: number, counts: Partial<MinuteCounts> = {}): MinuteCounts => ({
  minute: iso(at),
  accepted: 0,
  refused: {},
  done: 0,
  retried: 0,
  dead: 0,
  ignored: 0,
  processors: {},
  acknowledge: undefined,
  endToEnd: undefined,
  ...counts
})

/** A replay of 5,000 events that has sent 1,200 of them. */
export const repairOf = (change: Partial<Repair> = {}): Repair => ({
  ...{ id: 'r1', kind: 'replay', state: 'running', failedOnly: false, by: 'listener', from: 'page' },
  ...{ at: iso(NOW - 1000), updatedAt: iso(NOW), total: 5000, sent: 1200, discarded: 0 },
  ...{ failed: 0, failures: [] },
  ...change
})
