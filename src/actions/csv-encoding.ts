import { createReadStream, createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import iconv from 'iconv-lite'
import { Refusal } from '../core/errors.ts'

const questionMark = 0x3f // Never the second byte of a character of CP949: those begin at 0x41.
const chunkBytes = 1 << 20

/**
 * Writes a CSV file of UTF-8 again in CP949 (KS X 1001 and Microsoft's extension), in flat memory.
 *
 * @throws {Refusal} `policy-refused` if a character has no place in it: a question mark would be a changed value.
 */
export async function recodeToCp949(path: string): Promise<void> {
  const target = `${path}.cp949`
  async function* recoded(): AsyncGenerator<Buffer> {
    const source = createReadStream(path, { encoding: 'utf8', highWaterMark: chunkBytes })
    for await (const chunk of source as AsyncIterable<string>) {
      const bytes = iconv.encode(chunk, 'cp949')
      if (marksIn(bytes) !== marksIn(Buffer.from(chunk, 'utf8'))) throw notInCp949()
      yield bytes
    }
  }
  await pipeline(recoded(), createWriteStream(target, { mode: 0o600 }))
  await rename(target, path)
}

/** How many question marks stand in these bytes, of UTF-8 or of CP949. */
function marksIn(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(questionMark); at >= 0; at = bytes.indexOf(questionMark, at + 1)) {
    count += 1
  }
  return count
}

function notInCp949(): Refusal {
  return new Refusal(
    'policy-refused',
    'A text of the release has a character that CP949 does not have. Ask for CSV in UTF-8.',
    { fault: 'a character outside CP949' },
  )
}
