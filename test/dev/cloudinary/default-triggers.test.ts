import t from 'tap'
import { Cloud } from '../../../dev/cloudinary/cloud.ts'
import { DefaultTriggers } from '../../../dev/cloudinary/default-triggers.ts'
import { environment } from './sdk.ts'

t.test('creates one trigger per cloud, moves it and deletes it', (t) => {
  const clouds = [new Cloud(environment), new Cloud({ ...environment, cloudName: 'other' })]
  const defaults = new DefaultTriggers(clouds, () => 0)
  const triggers = () => clouds.map((cloud) => cloud.triggers.list())
  defaults.pointTo(undefined)
  t.strictSame(triggers(), [[], []])
  const uris = ['http://127.0.0.1:1/a', 'http://127.0.0.1:1/b']
  for (const uri of uris) {
    defaults.pointTo(uri)
    const one = [{ uri, event_type: 'all', additive: true }]
    t.match(triggers(), [one, one])
    t.strictSame(
      triggers().map(({ length }) => length),
      [1, 1]
    )
  }
  const [own] = clouds
  own!.triggers.delete(own!.triggers.list()[0]!.id)
  defaults.pointTo(undefined)
  t.strictSame(triggers(), [[], []])
  t.end()
})
