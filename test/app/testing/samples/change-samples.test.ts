import { test } from 'tap'
import { CHANGES } from '../../../../app/testing/samples/change-samples.ts'
import { sampleContext } from '../../../../app/testing/samples/sample-asset.ts'

const context = sampleContext({ publicId: 'shop/brown', count: 2, now: new Date('2026-02-03T04:05:06.789Z') })
const identity = { asset_id: /^[0-9a-f]{32}$/, resource_type: 'image', type: 'upload' }

test('lists assets with added and removed tags', async (t) => {
  t.match(CHANGES.resource_tags_changed.default(context), {
    source: 'api',
    resources: [
      { ...identity, public_id: 'shop/brown', added: ['autumn', 'sale'], removed: ['summer'] },
      { ...identity, public_id: 'shop/brown-2' }
    ]
  })
  t.match(CHANGES.resource_tags_changed.updated(context), { resources: [{ updated: ['sale'] }, {}] })
})

test('maps assets to changed context in three spellings', async (t) => {
  t.match(CHANGES.resource_context_changed.objects(context), {
    resources: {
      'shop/brown': {
        ...identity,
        added: { alt: String },
        removed: { credit: String },
        updated: { caption: 'Autumn' }
      },
      'shop/brown-2': identity
    }
  })
  t.match(CHANGES.resource_context_changed.arrays(context), {
    resources: { 'shop/brown': { added: [{ name: 'alt', value: String }], updated: [{ name: 'caption' }] } }
  })
  t.match(CHANGES.resource_context_changed.names(context), {
    resources: { 'shop/brown': { removed: ['credit'] } }
  })
})

test('maps assets to metadata before and after', async (t) => {
  t.match(CHANGES.resource_metadata_changed.default(context), {
    resources: {
      'shop/brown': {
        ...identity,
        previous_metadata: { cms_id: 'cms-1000' },
        new_metadata: { cms_id: 'cms-1001' }
      },
      'shop/brown-2': identity
    }
  })
  t.match(CHANGES.resource_metadata_changed.timestamp(context), {
    resources: {
      'shop/brown': { new_metadata: { cms_id: 'cms-1001', last_update_timestamp: '2026-02-03T04:05:06Z' } }
    }
  })
})

test('has a timestamp for display names', async (t) => {
  t.match(CHANGES.resource_display_name_changed.default(context), {
    timestamp: '2026-02-03T04:05:06+00:00',
    resources: {
      'shop/brown': { ...identity, previous_display_name: 'brown', new_display_name: 'brown (new)' }
    }
  })
})

test('lists assets with changed access or publication', async (t) => {
  t.match(CHANGES.access_control_changed.default(context), {
    resources: [{ ...identity, new_access_control: [{ access_type: 'token' }] }, identity]
  })
  t.match(CHANGES.publish.default(context), { resources: [{ ...identity, version: 1770091506 }, identity] })
})

test('maps assets to folders in both modes', async (t) => {
  t.match(CHANGES.move['asset-folders'](context), {
    resources: {
      'shop/brown': {
        ...identity,
        from_asset_folder: 'shop',
        to_asset_folder: 'archive',
        display_name: 'brown'
      }
    }
  })
  t.match(CHANGES.move.folders(context), {
    resources: { 'shop/brown': { ...identity, from_folder: 'shop', to_folder: 'archive' } }
  })
})

test('keeps the asset id in a rename', async (t) => {
  t.match(CHANGES.rename.default(context), {
    ...identity,
    timestamp: String,
    from_public_id: 'shop/brown',
    to_public_id: 'shop/brown-renamed'
  })
})

test('omits timestamp and request id in deletions', async (t) => {
  for (const type of ['delete', 'delete_by_token'] as const) {
    const body = CHANGES[type].default(context)
    t.match(body, { resources: [{ ...identity, version: 1770091506 }, identity] })
    t.notOk('timestamp' in body || 'request_id' in body)
  }
})

test('omits the kind in older renames and deletions', async (t) => {
  t.strictSame(Object.keys(CHANGES.rename['without-kind'](context)), [
    'asset_id',
    'from_public_id',
    'to_public_id'
  ])
  const namesOf = (body: Record<string, unknown>) =>
    (body.resources as object[]).map((resource) => Object.keys(resource))
  const rest = ['version', 'asset_folder', 'display_name']
  const withoutKind = ['asset_id', 'public_id', ...rest]
  t.strictSame(namesOf(CHANGES.delete['without-kind'](context)), [withoutKind, withoutKind])
  const byPublicId = ['public_id', ...rest]
  t.strictSame(namesOf(CHANGES.delete['by-public-id'](context)), [byPublicId, byPublicId])
})
