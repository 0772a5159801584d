/** Printed text that a test can wait for. */
export class Output {
  text = ''
  #hasEnded = false
  #wake = () => {}

  add(text: string): void {
    this.text += text
    this.#wake()
  }

  /** Marks the end of the output. */
  end(): void {
    this.#hasEnded = true
    this.#wake()
  }

  /** Resolves with the first match, past or future; rejects at the end of the output. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    for (let match = pattern.exec(this.text); ; match = pattern.exec(this.text)) {
      if (match) return match
      if (this.#hasEnded) throw new Error(`the output ended without ${pattern}:\n${this.text}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
