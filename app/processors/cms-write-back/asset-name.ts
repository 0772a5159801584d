/** The name of an asset. Within an environment, one asset has it at a time. */
export interface AssetName {
  publicId: string
  resourceType: string
  deliveryType: string
}

/** A name that an asset has, or had until a time. */
export interface CurrentOrFormerName extends AssetName {
  /** Unix time, in seconds, when the asset lost the name: what was uploaded later is another asset. */
  until?: number
}
