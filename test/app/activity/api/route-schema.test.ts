import t from 'tap'
import { z } from 'zod'
import { routeSchema } from '../../../../app/activity/api/route-schema.ts'

t.test('describes the request and the responses of a route', async (t) => {
  const number = z.string().transform(Number).default(5)
  const schema = routeSchema({
    summary: 'Summary',
    description: 'Description',
    params: z.object({ id: z.string() }),
    querystring: z.object({ limit: number }),
    body: z.object({ ids: z.array(z.string()) }),
    answers: { 200: z.object({ total: z.int() }), 202: 'a stream' },
    errors: [404],
    forTokens: true
  })
  t.match(schema, {
    summary: 'Summary',
    description: 'Description',
    params: { type: 'object', required: ['id'] },
    querystring: { properties: { limit: { type: 'string' } } },
    body: { properties: { ids: { type: 'array' } } },
    response: {
      200: { properties: { total: { type: 'integer' } } },
      202: { type: 'string', description: 'a stream' },
      401: { properties: { code: { type: 'string' } } },
      404: { properties: { message: { type: 'string' } } }
    },
    security: [{ password: [] }, { token: [] }]
  })
  t.notMatch(JSON.stringify(schema), '$schema')
})

t.test('a route needs the password unless it accepts tokens', async (t) => {
  const schema = routeSchema({ summary: 'Summary', answers: {} })
  t.strictSame(Object.keys(schema).sort(), ['response', 'security', 'summary'])
  t.match(schema, { security: [{ password: [] }] })
})
