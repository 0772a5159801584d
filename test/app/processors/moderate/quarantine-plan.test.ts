import t from 'tap'
import type { AssetState } from '../../../../app/cloudinary/client.ts'
import type { Decision } from '../../../../app/processors/moderate/decision.ts'
import { planFor, type QuarantineOptions } from '../../../../app/processors/moderate/quarantine-plan.ts'
import { encodeRecord } from '../../../../app/processors/moderate/quarantine-record.ts'

const TOKEN = [{ access_type: 'token' }]
const OPEN = [{ access_type: 'anonymous', start: '2026-01-01T00:00Z' }]
const OPTIONS: QuarantineOptions = { folder: 'quarantine', restrict: true, field: 'record', tag: 'rejected' }

const stateOf = (fields: Partial<AssetState>): AssetState => ({
  asset_id: 'a1',
  public_id: 'bag',
  resource_type: 'image',
  type: 'upload',
  ...fields
})
const plan = (
  status: Decision['status'],
  current: Partial<AssetState>,
  { kind = 'aws_rek', ...options }: Partial<QuarantineOptions> & { kind?: string } = {}
) => {
  const decision = { status, kind, at: '', environment: 'demo', asset: {} }
  return planFor(decision, stateOf(current), { ...OPTIONS, ...options })
}
const record = (access: unknown = OPEN, from = 'shop', ...by: string[]) =>
  encodeRecord({
    by: by.length === 0 ? ['aws_rek'] : by,
    moved: { from, to: 'quarantine' },
    access: JSON.stringify(access)
  })

t.test('a rejection moves, restricts and tags, and records the previous state', async (t) => {
  t.strictSame(plan('rejected', { asset_folder: 'shop', access_control: OPEN, tags: ['new'] }), {
    note: 'quarantined',
    folder: 'quarantine',
    access: TOKEN,
    record: record(),
    addTag: 'rejected'
  })
  t.strictSame(plan('rejected', {}), {
    note: 'quarantined',
    folder: 'quarantine',
    access: TOKEN,
    record: record([], ''),
    addTag: 'rejected'
  })
})

t.test('does only what the options ask for', async (t) => {
  const current = { asset_folder: 'shop', tags: [] }
  t.strictSame(plan('rejected', current, { restrict: false, tag: undefined }), {
    note: 'quarantined',
    folder: 'quarantine',
    record: encodeRecord({ by: ['aws_rek'], moved: { from: 'shop', to: 'quarantine' } })
  })
  t.strictSame(plan('rejected', current, { folder: false, tag: undefined }), {
    note: 'quarantined',
    access: TOKEN,
    record: encodeRecord({ by: ['aws_rek'], access: '[]' })
  })
  t.strictSame(plan('rejected', current, { folder: false, restrict: false }), {
    note: 'quarantined',
    record: encodeRecord({ by: ['aws_rek'] }),
    addTag: 'rejected'
  })
})

t.test('a repeated rejection changes nothing, and keeps the first state', async (t) => {
  const quarantined = { asset_folder: 'quarantine', access_control: TOKEN, tags: ['rejected'] }
  t.strictSame(plan('rejected', { ...quarantined, metadata: { record: record() } }), { note: 'quarantined' })
  t.strictSame(plan('rejected', { ...quarantined, metadata: { record: record() } }, { kind: 'manual' }), {
    note: 'quarantined',
    record: record(OPEN, 'shop', 'aws_rek', 'manual')
  })
  // a person moved it out, and rejects it again
  t.match(plan('rejected', { ...quarantined, asset_folder: 'b', metadata: { record: record() } }), {
    folder: 'quarantine',
    record: record(OPEN, 'b')
  })
  // uploaded into the folder
  t.strictSame(plan('rejected', quarantined), { note: 'quarantined', record: 'by=aws_rek' })
})

t.test('an approval restores the previous state', async (t) => {
  const quarantined = {
    asset_folder: 'quarantine',
    access_control: TOKEN,
    tags: ['rejected'],
    metadata: { record: record() }
  }
  const restored = { note: 'restored', folder: 'shop', access: OPEN, record: '', removeTag: 'rejected' }
  t.strictSame(plan('approved', quarantined), restored)
  t.strictSame(plan('approved', quarantined, { kind: 'manual' }), restored)
  // the options changed meanwhile
  t.strictSame(plan('approved', quarantined, { folder: false, restrict: false, tag: undefined }), {
    note: 'restored',
    folder: 'shop',
    access: OPEN,
    record: ''
  })
})

t.test('an approval keeps what a person changed', async (t) => {
  const metadata = { record: record() }
  t.strictSame(plan('approved', { asset_folder: 'elsewhere', access_control: [], metadata }), {
    note: 'restored',
    record: ''
  })
})

t.test('a record that is not valid never opens a restricted asset', async (t) => {
  for (const access of ['', '{', '{}', 'null', '[null]', '["token"]', '[{}]', '[{"access_type":1}]']) {
    const metadata = { record: encodeRecord({ by: ['aws_rek'], access }) }
    t.throws(
      () => plan('approved', { access_control: TOKEN, metadata }),
      { name: 'PermanentError', code: 'MODERATE_RECORD_INVALID', message: /field record / },
      access
    )
    t.match(plan('approved', { access_control: [], metadata }), { note: 'restored', record: '' })
  }
})

t.test('a previous state that does not fit into the field is left to a person', async (t) => {
  const folder = '画像'.repeat(60)
  const rejected = plan('rejected', { asset_folder: folder, tags: ['rejected'] })
  t.strictSame(rejected, {
    note: 'quarantined',
    folder: 'quarantine',
    access: TOKEN,
    record: 'by=aws_rek&lost=1'
  })
  const quarantined = {
    asset_folder: 'quarantine',
    access_control: TOKEN,
    tags: ['rejected'],
    metadata: { record: 'by=aws_rek&lost=1' }
  }
  t.strictSame(plan('rejected', quarantined), { note: 'quarantined' })
  t.match(plan('rejected', quarantined, { kind: 'webpurify' }), { record: 'by=aws_rek&by=webpurify&lost=1' })
  t.throws(() => plan('approved', quarantined), { code: 'MODERATE_RECORD_INVALID' })
})

t.test('a lost record does not matter once a person has restored the asset', async (t) => {
  const metadata = { record: 'by=aws_rek&lost=1' }
  const restored = { asset_folder: 'shop', access_control: OPEN, tags: ['rejected'], metadata }
  t.strictSame(plan('approved', restored), { note: 'restored', record: '', removeTag: 'rejected' })
  t.match(plan('rejected', restored), { folder: 'quarantine', access: TOKEN, record: record() })
  for (const half of [{ asset_folder: 'quarantine' }, { access_control: TOKEN }]) {
    t.throws(() => plan('approved', { ...restored, ...half }), { code: 'MODERATE_RECORD_INVALID' })
    t.match(plan('rejected', { ...restored, ...half }), { record: /&lost=1$/ })
  }
  const moved = { ...restored, access_control: TOKEN }
  t.throws(() => plan('approved', moved, { folder: false }), { code: 'MODERATE_RECORD_INVALID' })
  t.match(plan('approved', restored, { folder: false }), { record: '' })
})

t.test('only the kind that rejected, or a person, can approve', async (t) => {
  t.match(plan('approved', { metadata: { record: record() } }, { kind: 'webpurify' }), /aws_rek/)
  t.match(plan('approved', { metadata: {} }), /not in quarantine/)
  t.match(plan('approved', {}), /not in quarantine/)
})

t.test('an asset stays in quarantine until each kind that rejected it approves', async (t) => {
  const rejectedBy = (...kinds: string[]) => ({
    asset_folder: 'quarantine',
    access_control: TOKEN,
    tags: ['rejected'],
    metadata: { record: record(OPEN, 'shop', ...kinds) }
  })
  t.strictSame(plan('approved', rejectedBy('manual', 'aws_rek')), {
    note: 'still rejected by manual',
    stays: true,
    record: record(OPEN, 'shop', 'manual')
  })
  t.match(plan('approved', rejectedBy('manual', 'aws_rek'), { kind: 'manual' }), {
    folder: 'shop',
    record: ''
  })
})

t.test('a restriction with further fields is one', async (t) => {
  const restricted = {
    asset_folder: 'quarantine',
    access_control: [{ access_type: 'token', start: null, end: null }],
    tags: ['rejected'],
    metadata: { record: record() }
  }
  t.strictSame(plan('rejected', restricted), { note: 'quarantined' })
  t.match(plan('approved', restricted), { access: OPEN })
})
