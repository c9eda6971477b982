/**
 * Writes decoded text into files of its own and knows where a row ends: at a line feed outside quotes. Quotes are counted
 * over the whole text, so a cut never falls inside a quoted cell.
 */
import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'

/** A finished piece of decoded text. */
export type WrittenPiece = { path: string; bytes: number; lines: number }

/** One piece after the other; `end` closes the piece, the next `write` begins a new one. Files have mode 0600. */
export class PieceWriter {
  readonly #dir: string
  #isQuoted = false
  #open: (WrittenPiece & { file: FileHandle }) | undefined

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Bytes of the piece that is being written. */
  get bytes(): number {
    return this.#open?.bytes ?? 0
  }

  async write(text: Uint8Array): Promise<void> {
    if (text.length === 0) return
    const piece = this.#open ?? (await this.#begin())
    await piece.file.writeFile(text)
    piece.bytes += text.length
    piece.lines += countOf(text, 0x0a)
    if (countOf(text, 0x22) % 2 === 1) this.#isQuoted = !this.#isQuoted
  }

  /** Where the first row that ends within the next `text` ends, or -1. */
  endOfRow(text: Uint8Array): number {
    let isQuoted = this.#isQuoted
    for (let at = 0; at < text.length; at++) {
      if (text[at] === 0x22) isQuoted = !isQuoted
      else if (text[at] === 0x0a && !isQuoted) return at + 1
    }
    return -1
  }

  /** Closes the piece, if one is open, and says what it is. */
  async end(): Promise<WrittenPiece | undefined> {
    const piece = this.#open
    this.#open = undefined
    await piece?.file.close()
    return piece && { path: piece.path, bytes: piece.bytes, lines: piece.lines }
  }

  async #begin(): Promise<WrittenPiece & { file: FileHandle }> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    const path = join(this.#dir, `${randomUUID()}.csv`)
    this.#open = { path, bytes: 0, lines: 0, file: await open(path, 'wx', 0o600) }
    return this.#open
  }
}

function countOf(text: Uint8Array, byte: number): number {
  let count = 0
  for (let at = text.indexOf(byte); at >= 0; at = text.indexOf(byte, at + 1)) count++
  return count
}
