/** Id of the one asset that the instant stand-in for Cloudinary returns. */
export const BENCH_ASSET_ID = '0123456789abcdef0123456789abcdef'
