import t from 'tap'
import { documentsQuery } from '../../../../app/processors/cms-write-back/sanity-query.ts'

t.test('asks for objects and lists, by asset id and by public id', async (t) => {
  t.equal(
    documentsQuery({ article: ['hero', 'sections[].image'], page: ['a.b'] }),
    '*[(_type == "article" && (hero.asset_id == $assetId || hero.public_id in $publicIds || ' +
      '$assetId in sections[].image.asset_id || count((sections[].image.public_id)[@ in $publicIds]) > 0)) || ' +
      '(_type == "page" && (a.b.asset_id == $assetId || a.b.public_id in $publicIds))]'
  )
})
