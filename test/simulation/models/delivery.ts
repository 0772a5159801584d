/** A signed notification on its way. */
export interface Delivery {
  body: Buffer
  signature: string
  timestamp: string
  isGenuine: boolean
}
