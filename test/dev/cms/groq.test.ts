import t from 'tap'
import { documentsQuery } from '../../../app/processors/cms-write-back/sanity-query.ts'
import { evaluate } from '../../../dev/cms/groq.ts'

const bag = { public_id: 'bag', asset_id: 'a1' }
const documents = [
  { _id: '1', _type: 'article', hero: bag },
  { _id: '2', _type: 'article', sections: [{ image: { public_id: 'hat' } }, { image: bag }, null] },
  { _id: '3', _type: 'page', a: { b: { public_id: 'hat', asset_id: 'a2' } } },
  { _id: '4', _type: 'article', sections: 'text', hero: null },
  { _id: '5', _type: 'other', hero: bag }
]
const query = documentsQuery({ article: ['hero', 'sections[].image'], page: ['a.b'] })
const found = (params: { assetId: string; publicIds: string[] }) =>
  (evaluate(query, params, documents) as { _id: string }[]).map(({ _id }) => _id)

t.test('finds by public id or asset id', async (t) => {
  t.strictSame(found({ assetId: '', publicIds: ['bag'] }), ['1', '2'])
  t.strictSame(found({ assetId: '', publicIds: ['hat', 'x'] }), ['2', '3'])
  t.strictSame(found({ assetId: 'a1', publicIds: [] }), ['1', '2'])
  t.strictSame(found({ assetId: 'a2', publicIds: [] }), ['3'])
  t.strictSame(found({ assetId: 'x', publicIds: ['y'] }), [])
})

t.test('counts by type', async (t) => {
  t.equal(evaluate('count(*[_type in $types])', { types: ['article'] }, documents), 3)
  t.equal(evaluate('count(*[_type in $types])', {}, documents), 0)
})

t.test('does not answer other queries', async (t) => {
  for (const other of ['*', '*[hero]', '*[(hero)]', 'count(*)'])
    t.equal(evaluate(other, {}, documents), undefined)
  t.strictSame(evaluate('*[(_type == "article" && (references($x)))]', { x: 'a' }, documents), [])
})
