import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { Refusal } from '../core/errors.ts'

const answerBytesMax = 16 * 1024 * 1024

/**
 * Streams an answer into a file of mode 0600, which gets its name when it is whole.
 *
 * @throws {Refusal} `digest-differs` if it is not what the service says it is (RFC 9530).
 */
export async function saveAnswer(response: IncomingMessage, path: string): Promise<void> {
  const unfinished = `${path}.unfinished`
  const hash = createHash('sha256')
  try {
    await rm(unfinished, { force: true })
    await pipeline(
      response,
      async function* hashed(chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          hash.update(chunk)
          yield chunk
        }
      },
      createWriteStream(unfinished, { mode: 0o600, flags: 'wx', flush: true }),
    )
    if (response.headers['content-digest'] !== `sha-256=:${hash.digest('base64')}:`) {
      const sentence = 'What came is not what the service sent. Fetch it again.'
      throw new Refusal('digest-differs', sentence)
    }
    await rename(unfinished, path)
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** An answer as text. @throws {Error} if it is larger than any that is asked for. */
export async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.length
    if (bytes > answerBytesMax) throw new Error('the answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
