import type { FastifyInstance } from 'fastify'
import type { Tools } from './asset-editor.ts'
import { named } from './calls.ts'
import { testNotification } from './notifications.ts'
import { matches } from './trigger-filter.ts'
import type { TriggerParams } from './trigger-store.ts'

type One = { Params: { id: string } }

/**
 * Triggers in the Admin API, with the parameters and responses of pycloudinary 1.46.0 and cloudinary-go v2.
 */
export async function triggersApi(app: FastifyInstance, { tools }: { tools: Tools }): Promise<void> {
  app.get<{ Querystring: { event_type?: string } }>(
    '/triggers',
    named('triggers'),
    async ({ query, standIn: { cloud } }) => {
      const triggers = cloud.triggers.list(query.event_type)
      return { triggers, total: triggers.length }
    }
  )

  app.post('/triggers', named('create_trigger'), async ({ body, standIn: { cloud } }) =>
    cloud.triggers.create((body ?? {}) as TriggerParams, tools.clock())
  )

  app.put<One>('/triggers/:id', named('update_trigger'), async ({ params, body, standIn: { cloud } }) =>
    cloud.triggers.update(params.id, (body ?? {}) as TriggerParams, tools.clock())
  )

  app.delete<One>('/triggers/:id', named('delete_trigger'), async ({ params, standIn: { cloud } }) => {
    cloud.triggers.delete(params.id)
    return { message: 'ok' }
  })

  // the sources disagree: it sends a notification, or evaluates the filter; this does both. The content is an
  // assumption
  app.post<One>(
    '/triggers/:id/test',
    named('test_trigger'),
    async ({ params, body, standIn: { cloud, caller } }) => {
      const trigger = cloud.triggers.get(params.id)
      const { sample_data: sample } = (body ?? {}) as { sample_data?: object | null }
      const text = JSON.stringify(
        testNotification(trigger, sample ?? {}, {
          origin: { source: 'api', id: caller },
          now: tools.clock(),
          signatureKey: cloud.own.apiKey
        })
      )
      const isMatch = matches(trigger.filter, text)
      if (isMatch) void tools.notifier.sendTo([trigger.uri], cloud, text)
      return {
        trigger_id: trigger.id,
        filter_present: trigger.filter !== undefined,
        filter_result: isMatch
      }
    }
  )
}
