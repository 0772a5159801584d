/** Shapes of real deliveries, published by their receivers. Names and ids are replaced. */
export const CAPTURED: Record<string, object> = {
  'eager of 2022, with HLS': {
    notification_type: 'eager',
    timestamp: '2022-03-12T17:41:22+00:00',
    request_id: 'c'.repeat(32),
    eager: [
      {
        transformation: 'sp_full_hd/m3u8',
        bytes: 1007,
        format: 'm3u8',
        url: 'http://res.cloudinary.com/demo/video/upload/sp_full_hd/v1647106802/clip.m3u8',
        secure_url: 'https://res.cloudinary.com/demo/video/upload/sp_full_hd/v1647106802/clip.m3u8'
      },
      {
        transformation: 'q_auto/mp4',
        width: 1280,
        height: 720,
        bytes: 8_807_563,
        format: 'mp4',
        url: 'http://res.cloudinary.com/demo/video/upload/q_auto/v1647106802/clip.mp4',
        secure_url: 'https://res.cloudinary.com/demo/video/upload/q_auto/v1647106802/clip.mp4'
      }
    ],
    batch_id: 'b'.repeat(96),
    asset_id: 'a'.repeat(32),
    public_id: 'clip'
  },
  'eager of 2026': {
    eager: [
      {
        width: 1280,
        format: 'mp4',
        height: 720,
        secure_url: 'https://res.cloudinary.com/demo/video/upload/c_limit,w_1280/v1779910931/covers/clip.mp4',
        transformation: 'c_limit,w_1280'
      }
    ],
    api_key: '351961575759598',
    asset_id: 'a'.repeat(32),
    batch_id: 'f'.repeat(96),
    public_id: 'covers/clip',
    timestamp: '2026-05-27T19:42:16+00:00',
    request_id: 'e'.repeat(32),
    signature_key: '351961575759598',
    notification_type: 'eager',
    notification_context: {
      triggered_at: '2026-05-27T19:42:11.876420Z',
      triggered_by: { id: '351961575759598', source: 'api' }
    }
  },
  'failed eager': {
    notification_type: 'eager',
    eager: [{ status: 'failed', reason: 'Video is too large to process synchronously' }],
    batch_id: 'b'.repeat(96),
    asset_id: 'a'.repeat(32),
    public_id: 'clip'
  },
  'moderation of 2020': {
    moderation_response: { moderation_labels: [] },
    moderation_status: 'rejected',
    moderation_kind: 'google_video_moderation',
    moderation_updated_at: '2020-03-20T00:00:28Z',
    public_id: 'ugc/clip',
    uploaded_at: '2020-03-19T23:53:48Z',
    version: 1_584_658_428,
    url: 'http://res.cloudinary.com/c/video/upload/v1584658428/ugc/clip.mp4',
    secure_url: 'https://res.cloudinary.com/c/video/upload/v1584658428/ugc/clip.mp4',
    etag: 'd'.repeat(32),
    notification_type: 'moderation'
  },
  'deletion without ids': {
    notification_type: 'delete',
    resources: [{ public_id: 'sample', resource_type: 'image', type: 'upload' }]
  },
  'move of several assets, without ids': {
    notification_type: 'move',
    resources: {
      blue_sweater: {
        resource_type: 'image',
        type: 'upload',
        from_asset_folder: 'clothing',
        to_asset_folder: 'clothing_sale',
        display_name: 'blue_sweater'
      },
      black_pants: {
        resource_type: 'video',
        type: 'upload',
        from_asset_folder: 'clothing/pants',
        to_asset_folder: 'clothing_sale/pants',
        display_name: 'Black pants'
      }
    }
  }
}
