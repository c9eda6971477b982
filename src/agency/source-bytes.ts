/**
 * Looks at every byte of a source file before anything is made of it: UTF-8 must be UTF-8, and a NUL is refused in every
 * encoding, for no two readers agree on what it ends. Chunk by chunk, with flat memory.
 */
import { isAscii, isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { Refusal } from '../core/errors.ts'

const chunkBytes = 4 * 1024 * 1024

/** A file that was looked at whole. */
export type Looked = { bytes: number; isAscii: boolean }

/**
 * Checks the bytes of a file.
 *
 * @param name - the file as the agency's description names it, for the refusal.
 * @throws {Refusal} `input-malformed` with file and line for a NUL, or a byte that is not UTF-8 when `encoding` is; and for
 *   an empty file.
 */
export async function lookAt(
  path: string,
  { name, encoding, signal }: { name: string; encoding: 'utf-8' | 'cp949'; signal?: AbortSignal },
): Promise<Looked> {
  let bytes = 0
  let onlyAscii = true
  for await (const chunk of chunksOf(path, encoding === 'utf-8', signal)) {
    const nul = chunk.indexOf(0)
    if (nul >= 0) {
      throw new Refusal('input-malformed', 'The file has a NUL byte. Export it as text.', {
        file: name,
        line: await lineAt(path, bytes + nul),
      })
    }
    if (!isAscii(chunk)) {
      onlyAscii = false
      if (encoding === 'utf-8' && !isUtf8(chunk)) {
        throw new Refusal(
          'input-malformed',
          'The file has bytes that are not UTF-8. State its encoding in the source description.',
          { file: name, line: await lineAt(path, bytes + startOfBadLine(chunk)) },
        )
      }
    }
    bytes += chunk.length
  }
  if (bytes === 0) throw new Refusal('input-malformed', 'The file is empty.', { file: name })
  return { bytes, isAscii: onlyAscii }
}

/** The line, from 1, on which the byte at `offset` stands. Reads the file again: only for refusals. */
export async function lineAt(path: string, offset: number): Promise<number> {
  let start = 0
  let line = 1
  for await (const chunk of chunksOf(path, false)) {
    line += newlinesIn(chunk.subarray(0, Math.max(0, offset - start)))
    start += chunk.length
    if (start >= offset) break
  }
  return line
}

/**
 * The bytes of a file in chunks of one reused buffer: each is valid only until the next is asked for.
 *
 * @param wholeCharacters - no chunk ends inside a character of UTF-8.
 */
export async function* chunksOf(
  path: string,
  wholeCharacters: boolean,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  await using file = await open(path, 'r')
  const buffer = Buffer.allocUnsafeSlow(chunkBytes)
  let kept = 0
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await file.read(buffer, kept, chunkBytes - kept)
    const filled = kept + bytesRead
    if (bytesRead === 0) {
      if (filled > 0) yield buffer.subarray(0, filled)
      return
    }
    const end = wholeCharacters ? filled - openBytes(buffer, filled) : filled
    if (end > 0) yield buffer.subarray(0, end)
    buffer.copyWithin(0, end, filled)
    kept = filled - end
  }
}

/** How many line feeds there are. */
function newlinesIn(chunk: Uint8Array): number {
  let count = 0
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count++
  return count
}

/** How many bytes at the end begin a character that the next chunk ends. */
function openBytes(buffer: Buffer, end: number): number {
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = buffer[end - back] ?? 0
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue // Inside a character.
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return needed > back ? back : 0
  }
  return 0
}

function startOfBadLine(chunk: Buffer): number {
  let start = 0
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, start)) {
    if (!isUtf8(chunk.subarray(start, at))) break
    start = at + 1
  }
  return start
}
