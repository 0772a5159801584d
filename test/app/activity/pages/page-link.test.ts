import fc from 'fast-check'
import t from 'tap'
import {
  assetLink,
  eventLink,
  filterLink,
  link,
  listLink,
  parameterValue
} from '../../../../app/activity/pages/page-link.ts'

t.test('a link contains the parameters that have a value', async (t) => {
  t.equal(link('/activity'), '/activity')
  t.equal(link('/activity', { a: '', b: undefined, c: 'x y', d: ['1', '2'] }), '/activity?c=x+y&d=1%2C2')
  t.equal(link('/activity', new URLSearchParams({ a: 'b' })), '/activity?a=b')
})

t.test('a changed filter starts at the first page, and keeps the window', async (t) => {
  const query = { status: 'dead', cursor: 'c', direction: 'newer', window: '6h' }
  t.equal(listLink(query, { type: 'upload' }), '/activity?status=dead&window=6h&type=upload')
  t.equal(listLink(query, { cursor: 'd' }), '/activity?status=dead&cursor=d&window=6h')
  t.equal(listLink(query, { status: undefined }), '/activity?window=6h')
})

t.test('a filter becomes a link', async (t) => {
  t.equal(
    filterLink({ assetId: 'abc', status: ['dead', 'retrying'] }),
    '/activity?status=dead%2Cretrying&asset=abc'
  )
})

t.test('several values are joined with commas', async (t) => {
  t.equal(parameterValue({ a: ['x', 'y'] }, 'a'), 'x,y')
  t.equal(parameterValue({}, 'a'), '')
})

t.test('ids cannot change the rest of the path', async () => {
  fc.assert(
    fc.property(
      fc.string().filter((id) => id !== '' && !/^\.{1,2}$/.test(id)),
      (id) => {
        for (const path of [eventLink(id), assetLink(id)]) {
          const { pathname, search, hash } = new URL(path, 'http://host')
          if (pathname.split('/').length !== 4 || search + hash !== '') return false
          if (decodeURIComponent(pathname.split('/')[3]!) !== id) return false
        }
        return true
      }
    )
  )
})
