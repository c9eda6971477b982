/** Requests of JSON over TLS, for commands that act as a person or an agency. */
import { request } from 'node:https'
import { z } from 'zod'
import { Refusal } from '../core/errors.ts'
import { exitCodes } from './exit-codes.ts'

/** Where the API is and who asks: a person by a session, an agency by its certificate and key, PEM. */
export type Reach = { url: string; ca: string; token?: string; cert?: string; key?: string }

type Asked = { method: 'GET' | 'POST' | 'DELETE'; path: string; body?: unknown }

const answerBytesMax = 128 << 20
const timeoutMs = 60_000
const codes = Object.keys(exitCodes) as [keyof typeof exitCodes]
const problemSchema = z.object({
  type: z.templateLiteral(['urn:gyeol:problem:', z.enum(codes)]),
  detail: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
})

/**
 * The answer to a request, as the schema reads it.
 *
 * @throws {Refusal} the one the API refused with; plainly if there was no answer or another one.
 */
export async function askJson<T>(reach: Reach, asked: Asked, schema: z.ZodType<T>): Promise<T> {
  const { status, text } = await ask(reach, asked)
  if (status >= 200 && status < 300) return schema.parse(text === '' ? null : JSON.parse(text))
  throw problemOf(status, text)
}

/** What an answer that is no success is thrown as: the refusal of the API, or plainly its status. */
export function problemOf(status: number, text: string): Refusal | Error {
  const { data } = problemSchema.safeParse(jsonOf(text))
  const code = codes.find((known) => data?.type === `urn:gyeol:problem:${known}`)
  return data === undefined || code === undefined
    ? new Error(`the API answered ${status}`)
    : new Refusal(code, data.detail, data.details)
}

function ask(reach: Reach, asked: Asked): Promise<{ status: number; text: string }> {
  const body = asked.body === undefined ? undefined : JSON.stringify(asked.body)
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(asked.path, reach.url),
      {
        method: asked.method,
        ca: reach.ca,
        ...(reach.cert === undefined ? {} : { cert: reach.cert, key: reach.key }),
        timeout: timeoutMs,
        headers: {
          ...(reach.token === undefined ? {} : { authorization: `Bearer ${reach.token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes > answerBytesMax) response.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString('utf8'),
          })
        })
      },
    )
    sent.on('timeout', () => sent.destroy(new Error('the API did not answer in time')))
    sent.on('error', reject)
    sent.end(body)
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
