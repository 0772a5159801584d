import type { Asset } from '../../../dev/cloudinary/asset-store.ts'

/** A plain asset. */
export function assetWith(overrides: Partial<Asset> = {}): Asset {
  return {
    assetId: '0123456789abcdef0123456789abcdef',
    publicId: 'a',
    resourceType: 'image',
    type: 'upload',
    version: 1_700_000_000,
    versionId: 'fedcba9876543210fedcba9876543210',
    format: 'png',
    width: 10,
    height: 20,
    bytes: 100,
    etag: 'd41d8cd98f00b204e9800998ecf8427e',
    content: Buffer.alloc(0),
    assetFolder: '',
    displayName: 'a',
    tags: [],
    context: {},
    metadata: {},
    derived: [],
    accessControl: [],
    moderation: [],
    createdAt: 1_700_000_000_000,
    uploadedAt: 1_700_000_000_000,
    uploadedBy: '1',
    lastUpdated: { updatedAt: 1_700_000_000_000 },
    ...overrides
  }
}
