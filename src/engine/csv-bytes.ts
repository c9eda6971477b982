/** The bytes of a CSV file: those that mean something, and the file in blocks. */
import { open } from 'node:fs/promises'

/** The longest line, in bytes. A longer one is refused while memory holds two blocks. */
export const lineBytesMax = 1_048_576

/** LF. */
export const newline = 10
/** CR, which stands before LF or not at all. */
export const carriageReturn = 13
/** The double quote. */
export const quote = 34
/** The comma between cells. */
export const comma = 44

/** A file in blocks of a mebibyte. */
export async function* blocksOf(path: string): AsyncGenerator<Buffer> {
  const file = await open(path)
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(
        Buffer.allocUnsafe(lineBytesMax),
        0,
        lineBytesMax,
      )
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}
