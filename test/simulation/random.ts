/** Returns a number from 0 up to 1 that depends on the seed and the text only (FNV-1a, then the mixer of MurmurHash3). */
export function chanceOf(seed: number, text: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return mix(hash) / 2 ** 32
}

/** Returns one element, chosen by a number from 0 up to 1. */
export const pick = <Item>(items: readonly Item[], chance: number): Item =>
  items[Math.floor(chance * items.length)]!

/** Returns a whole number from `least` to `most`, chosen by a number from 0 up to 1. */
export const between = (least: number, most: number, chance: number): number =>
  least + Math.floor(chance * (most - least + 1))

/** A sequence of numbers from 0 up to 1 (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number, name = '') {
    this.#state = Math.floor(chanceOf(seed, name) * 2 ** 32)
  }

  readonly next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** Returns hexadecimal digits. */
  hex(digits: number): string {
    let text = ''
    while (text.length < digits) text += Math.floor(this.next() * 16).toString(16)
    return text
  }

  between(least: number, most: number): number {
    return between(least, most, this.next())
  }

  pick<Item>(items: readonly Item[]): Item {
    return pick(items, this.next())
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }
}

function mix(hash: number): number {
  let mixed = hash
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
