export { type SigningKey, signatureHeaders } from '../ingest/sign.ts'
