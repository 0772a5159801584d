import type { Test } from 'tap'
import { CloudinaryClients, type CloudinaryClientsOptions } from '../../app/cloudinary/clients.ts'
import { parseCloudinaryUrl } from '../../app/credentials/cloudinary-url.ts'
import { COLLEAGUE, LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import {
  type CloudinaryOptions,
  type CloudinaryStandIn,
  startCloudinary
} from '../../dev/cloudinary/cloudinary-server.ts'

/** A Cloudinary stand-in with one asset, `bag`, and clients that call it. */
export async function buildCloudinary(
  t: Test,
  options: Partial<CloudinaryClientsOptions> = {},
  standIn: Partial<CloudinaryOptions> = {}
): Promise<{ cloudinary: CloudinaryStandIn; clients: CloudinaryClients }> {
  const cloudinary = await startCloudinary({
    environments: [{ ...LOCAL_CLOUDINARY, foreignKeys: [COLLEAGUE] }],
    ...standIn
  })
  cloudinary.as().upload({ publicId: 'bag', resourceType: 'image', tags: ['leather'] })
  const environment = parseCloudinaryUrl(cloudinary.cloudinaryUrl())
  const clients = new CloudinaryClients({
    environments: { get: () => environment, cloudNames: () => [environment.cloudName] },
    ...options
  })
  t.teardown(async () => {
    clients.close()
    await cloudinary.stop()
  })
  return { cloudinary, clients }
}
