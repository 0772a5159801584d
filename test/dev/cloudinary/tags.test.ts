import t from 'tap'
import { tagsAfter } from '../../../dev/cloudinary/tags.ts'

t.test('applies each command', async (t) => {
  t.same(tagsAfter('add', ['b', 'c'], ['a', 'b']), ['a', 'b', 'c'])
  t.same(tagsAfter('set_exclusive', ['c'], ['a']), ['a', 'c'])
  t.same(tagsAfter('remove', ['b', 'x'], ['a', 'b']), ['a'])
  t.same(tagsAfter('replace', ['c', 'c'], ['a', 'b']), ['c'])
  t.same(tagsAfter('remove_all', [], ['a', 'b']), [])
})
