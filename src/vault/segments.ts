/** Takes one segment; it may be overwritten as soon as this returns. */
export type TakeSegment = (segment: Uint8Array, index: number, isLast: boolean) => void

/**
 * Cuts a stream of chunks of any size into segments of fixed size, the first one of its own size.
 *
 * Whether a segment is the last must be known before it is worked on, so a full segment waits until
 * one more byte comes. Chunks that are larger than a segment are handed on as they are; others are
 * gathered in one buffer that is used again.
 */
export class Segments {
  readonly #restBytes: number
  readonly #take: TakeSegment
  readonly #gathered: Uint8Array
  #sizeBytes: number
  #filled = 0
  #index = 0

  constructor(firstBytes: number, restBytes: number, take: TakeSegment) {
    this.#sizeBytes = firstBytes
    this.#restBytes = restBytes
    this.#take = take
    this.#gathered = Buffer.allocUnsafeSlow(Math.max(firstBytes, restBytes))
  }

  push(chunk: Uint8Array): void {
    let offset = 0
    while (offset < chunk.length) {
      if (this.#filled === this.#sizeBytes) this.#give(this.#gathered.subarray(0, this.#filled))
      if (this.#filled === 0 && chunk.length - offset > this.#sizeBytes) {
        const end = offset + this.#sizeBytes
        this.#give(chunk.subarray(offset, end))
        offset = end
        continue
      }
      const end = Math.min(chunk.length, offset + this.#sizeBytes - this.#filled)
      this.#gathered.set(chunk.subarray(offset, end), this.#filled)
      this.#filled += end - offset
      offset = end
    }
  }

  /** Gives what is left as the last segment; it is empty only if the whole stream was. */
  finish(): void {
    this.#take(this.#gathered.subarray(0, this.#filled), this.#index, true)
  }

  #give(segment: Uint8Array): void {
    this.#take(segment, this.#index, false)
    this.#index += 1
    this.#filled = 0
    this.#sizeBytes = this.#restBytes
  }
}
