import t from 'tap'
import { buildActivity, TOKEN } from '../../../support/activity.ts'

t.test('the OpenAPI document describes every route', async (t) => {
  const { get } = await buildActivity(t)
  const { openapi, paths, components } = (await get('/api/activity/openapi.json')).json()
  t.equal(openapi, '3.1.0')
  t.strictSame(
    Object.entries(paths).map(([path, item]) => [path, Object.keys(item as object)]),
    [
      ['/api/activity/events', ['get']],
      ['/api/activity/events/{id}', ['get']],
      ['/api/activity/stream', ['get']],
      ['/api/activity/replays', ['post']],
      ['/api/activity/discards', ['post']],
      ['/api/activity/replays/{id}', ['get']],
      ['/api/activity/replays/{id}/abort', ['post']],
      ['/api/activity/discards/{id}', ['get']],
      ['/api/activity/discards/{id}/abort', ['post']]
    ]
  )
  t.match(components.securitySchemes, { password: { scheme: 'basic' }, token: { scheme: 'bearer' } })
  const { parameters, security, responses } = paths['/api/activity/events'].get
  const names = parameters.map(({ name }: { name: string }) => name)
  for (const name of ['status', 'view', 'cursor', 'text']) t.ok(names.includes(name), name)
  t.strictSame(security, [{ password: [] }, { token: [] }])
  t.match(responses, { 200: {}, 400: {}, 401: {}, 403: {}, 503: {} })
  t.notMatch(JSON.stringify(paths), TOKEN)
})
