import type { FastifyReply } from 'fastify'

/** A list of serials as it leaves: its size and digest in the header, and nothing on the way keeps it. */
export type List = { bytes: number; sha256: Uint8Array; body: unknown }

/** Answers with a list as CSV. */
export function sendList(
  reply: Pick<FastifyReply, 'header' | 'type' | 'send'>,
  { bytes, sha256, body }: List,
): unknown {
  reply.header('cache-control', 'no-store')
  reply.header('content-length', String(bytes))
  reply.header('content-digest', `sha-256=:${Buffer.from(sha256).toString('base64')}:`)
  reply.type('text/csv')
  return reply.send(body)
}
