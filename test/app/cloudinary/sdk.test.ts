import t from 'tap'
import { loadSdk } from '../../../app/cloudinary/sdk.ts'
import { startCloudinary } from '../../../dev/cloudinary/server.ts'
import { LOCAL_CLOUDINARY } from '../../../dev/defaults.ts'

t.test('the SDK calls an http endpoint without CLOUDINARY_URL being set', async (t) => {
  const cloudinary = await startCloudinary({ environments: [LOCAL_CLOUDINARY] })
  t.teardown(() => cloudinary.stop())
  const sdk = loadSdk(cloudinary.url)
  const { cloudName: cloud_name, apiKey: api_key, apiSecret: api_secret } = LOCAL_CLOUDINARY
  await t.resolves(sdk.api.ping({ cloud_name, api_key, api_secret, upload_prefix: cloudinary.url }))
  t.match(cloudinary.calls, [{ cloud: 'demo', status: 200 }])

  const refused: unknown = await sdk.api
    .resource('gone', { cloud_name, api_key, api_secret, upload_prefix: cloudinary.url })
    .catch((rejection: unknown) => rejection)
  t.notMatch(JSON.stringify(refused), api_secret, 'with hide_sensitive its errors do not carry the secret')
})
