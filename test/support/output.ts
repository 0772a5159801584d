/** What something prints, which can be waited for. */
export class Output {
  text = ''
  #hasEnded = false
  #wake = () => {}

  add(text: string): void {
    this.text += text
    this.#wake()
  }

  /** There will be no more. */
  end(): void {
    this.#hasEnded = true
    this.#wake()
  }

  /** Resolves when this was printed. */
  async said(what: RegExp): Promise<RegExpExecArray> {
    for (let match = what.exec(this.text); ; match = what.exec(this.text)) {
      if (match) return match
      if (this.#hasEnded) throw new Error(`it has ended, and said no ${what}:\n${this.text}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
