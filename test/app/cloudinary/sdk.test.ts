import { Agent } from 'node:http'
import { inspect } from 'node:util'
import t from 'tap'
import { loadSdk } from '../../../app/cloudinary/sdk.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { startCloudinary } from '../../../dev/cloudinary/server.ts'

t.test('the SDK calls a host over http without global configuration', async (t) => {
  const cloudinary = await startCloudinary({ environments: [LOCAL_CLOUDINARY] })
  const agent = new Agent()
  t.teardown(async () => {
    agent.destroy()
    await cloudinary.stop()
  })
  const sdk = loadSdk()
  const { cloudName: cloud_name, apiKey: api_key, apiSecret: api_secret } = LOCAL_CLOUDINARY
  const options = { cloud_name, api_key, api_secret, upload_prefix: cloudinary.url, agent }
  await t.resolves(sdk.api.ping(options))
  t.match(cloudinary.calls, [{ cloud: 'demo', status: 200 }])

  const refused: unknown = await sdk.api.resource('gone', options).catch((rejection: unknown) => rejection)
  t.match(refused, { error: { http_code: 404 } })
  t.notMatch(
    inspect(refused, { depth: 8 }),
    api_secret,
    'with hide_sensitive its errors do not carry the secret'
  )
})
