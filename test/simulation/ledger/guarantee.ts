/** The guarantees, by their number in docs/guarantees.md. */
export type Guarantee =
  | '1 stored, then acknowledged'
  | '2 verified before parsed'
  | '3 one event per asset'
  | '4 in order per asset'
  | '5 effectively once'
  | '5 distinct identities'
  | '6 no loops'
  | '7 nothing is lost'
  | '7 attempts'
  | '7 at rest'
  | '8 shutdown'
  | '8 bounded memory'
  | '9 secrets'
  | '10 nothing is guessed'

/** Thrown when an invariant does not hold. */
export class Violation extends Error {
  readonly guarantee: Guarantee

  constructor(guarantee: Guarantee, message: string) {
    super(`${guarantee}: ${message}`)
    this.name = 'Violation'
    this.guarantee = guarantee
  }
}
