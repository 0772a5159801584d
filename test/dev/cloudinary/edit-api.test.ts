import t from 'tap'
import type { EnvironmentOptions } from '../../../dev/cloudinary/cloudinary-server.ts'
import { connect, environment, foreignKey, listen } from './sdk.ts'

const environments: [EnvironmentOptions, EnvironmentOptions] = [
  { ...environment, foreignKeys: [foreignKey] },
  { ...environment, cloudName: 'other' }
]
const { standIn } = await connect(t, { environments })
standIn.setNotificationUrl(await listen(t))
standIn.cloud().metadataFields.create({ external_id: 'cms_id', label: 'CMS id', type: 'string' })

async function edit(fields: Record<string, string>) {
  const body = new URLSearchParams(fields)
  const response = await fetch(`${standIn.url}/_standin/edit`, { method: 'POST', body })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const bodies = () => standIn.deliveries.map(({ body }) => JSON.parse(body))

t.test('edits an asset as a person does, and notifies of each change', async (t) => {
  standIn.as().upload({ publicId: 'bag', tags: ['old'] })
  t.match(
    await edit({
      public_id: 'bag',
      add_tags: 'new,summer',
      remove_tags: 'old',
      metadata: 'cms_id=7',
      context: 'alt=A bag',
      rename_to: 'shop/bag'
    }),
    { status: 200, body: { public_id: 'shop/bag', tags: ['new', 'summer'], metadata: { cms_id: '7' } } }
  )
  t.match(standIn.assets.find('shop/bag')?.context, { alt: 'A bag' })
  await standIn.idle()
  t.strictSame(
    bodies()
      .map(({ notification_type }) => notification_type)
      .sort(),
    [
      'rename',
      'resource_context_changed',
      'resource_metadata_changed',
      'resource_tags_changed',
      'resource_tags_changed',
      'upload'
    ]
  )
  t.match(
    bodies().find(({ notification_type }) => notification_type === 'rename'),
    { notification_context: { triggered_by: { source: 'ui', id: 'editor@example.com' } } }
  )
})

t.test('moves, names, restricts and moderates an asset', async (t) => {
  standIn.as().upload({ publicId: 'shoe' })
  const before = standIn.deliveries.length
  const rules = [{ access_type: 'token' }]
  t.match(
    await edit({
      public_id: 'shoe',
      asset_folder: 'new/shoes',
      display_name: 'A shoe',
      access_control: JSON.stringify(rules),
      moderation: 'rejected',
      moderation_kind: 'aws_rek'
    }),
    {
      body: {
        asset_folder: 'new/shoes',
        display_name: 'A shoe',
        access_control: rules,
        moderation: [{ kind: 'aws_rek', status: 'rejected' }]
      }
    }
  )
  t.match(await edit({ public_id: 'shoe', moderation: 'approved' }), {
    body: { moderation: [{ kind: 'aws_rek' }, { kind: 'manual', status: 'approved' }] }
  })
  t.match(await edit({ public_id: 'shoe', moderation: 'perhaps' }), { status: 400 })
  await standIn.idle()
  const types = bodies().map(({ notification_type }) => notification_type)
  t.strictSame(
    types.slice(before).filter((type) => type !== 'upload'),
    ['move', 'resource_display_name_changed', 'access_control_changed', 'moderation', 'moderation']
  )
  standIn.ui().destroy('shoe')
})

t.test('deletes an asset, by its new name if it was renamed', async (t) => {
  t.match(await edit({ public_id: 'shop/bag', delete: 'true' }), { body: { deleted: 'shop/bag' } })
  standIn.as(undefined, 'demo').upload({ publicId: 'film', resourceType: 'video', type: 'private' })
  const film = { public_id: 'film', resource_type: 'video', type: 'private' }
  t.match(await edit({ ...film, rename_to: 'movie', delete: 'true' }), { body: { deleted: 'movie' } })
  t.strictSame(standIn.assets.all(), [])
})

t.test('answers 404 to an unknown asset', async (t) => {
  t.match(await edit({ public_id: 'nobody' }), { status: 404, body: { error: { message: /nobody/ } } })
  t.match(await edit({}), { status: 400, body: { error: { message: /public_id/ } } })
  t.match(await edit({ public_id: 'bag', cloud: 'other' }), { status: 404 })
  t.match(await edit({ public_id: 'bag', cloud: 'nope' }), {
    error: undefined,
    status: 404,
    body: { error: { message: /nope/ } }
  })
})
