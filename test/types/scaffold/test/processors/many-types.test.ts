import t from 'tap'
import { testProcessor } from '../../app/testing.ts'
import { manyTypes } from '../../processors/many-types.ts'

t.test('handles upload', async (t) => {
  const run = await testProcessor(manyTypes(), 'upload')
  t.match(run, { outcome: 'succeeded', note: 'received upload' })
})

t.test('handles resource_tags_changed', async (t) => {
  const run = await testProcessor(manyTypes(), 'resource_tags_changed')
  t.match(run, { outcome: 'succeeded', note: 'received resource_tags_changed' })
})

t.test('handles resource_metadata_changed', async (t) => {
  const run = await testProcessor(manyTypes(), 'resource_metadata_changed')
  t.match(run, { outcome: 'succeeded', note: 'received resource_metadata_changed' })
})

t.test('handles create_folder', async (t) => {
  const run = await testProcessor(manyTypes(), 'create_folder')
  t.match(run, { outcome: 'succeeded', note: 'received create_folder' })
})

t.test('handles report', async (t) => {
  const run = await testProcessor(manyTypes(), 'report')
  t.match(run, { outcome: 'succeeded', note: 'received report' })
})

t.test('handles unknown', async (t) => {
  const run = await testProcessor(manyTypes(), 'unknown')
  t.match(run, { outcome: 'succeeded', note: 'received unknown' })
})

t.test('handles eager', async (t) => {
  const run = await testProcessor(manyTypes(), 'eager')
  t.match(run, { outcome: 'succeeded', note: 'received eager' })
})
