import type { FastifyInstance } from 'fastify'
import type { Tools } from './changes.ts'
import type { TriggerParams } from './triggers.ts'

type One = { Params: { id: string } }

/** The part of the Admin API that is about triggers; pycloudinary 1.46.0 has what it takes and answers. */
export async function triggersApi(app: FastifyInstance, { tools }: { tools: Tools }): Promise<void> {
  app.get<{ Querystring: { event_type?: string } }>(
    '/triggers',
    { config: { action: 'triggers' } },
    async ({ query, standIn: { cloud } }) => {
      const triggers = cloud.triggers.list(query.event_type)
      return { triggers, total: triggers.length }
    }
  )

  app.post('/triggers', { config: { action: 'create_trigger' } }, async ({ body, standIn: { cloud } }) =>
    cloud.triggers.create((body ?? {}) as TriggerParams, tools.clock())
  )

  app.put<One>(
    '/triggers/:id',
    { config: { action: 'update_trigger' } },
    async ({ params, body, standIn: { cloud } }) => {
      cloud.triggers.update(params.id, (body as { new_uri?: unknown } | undefined)?.new_uri, tools.clock())
      return { message: 'ok' }
    }
  )

  app.delete<One>(
    '/triggers/:id',
    { config: { action: 'delete_trigger' } },
    async ({ params, standIn: { cloud } }) => {
      cloud.triggers.delete(params.id)
      return { message: 'ok' }
    }
  )

  // Evaluates a trigger's filter, and delivers nothing; no trigger here has one.
  app.post<One>(
    '/triggers/:id/test',
    { config: { action: 'test_trigger' } },
    async ({ params, standIn: { cloud } }) => ({
      trigger_id: cloud.triggers.get(params.id).id,
      filter_present: false,
      filter_result: true
    })
  )
}
