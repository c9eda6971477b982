/** The port of a server of our own on 127.0.0.1. */
import { createServer } from 'node:net'
import { Refusal } from '../core/errors.ts'

/**
 * The port to use: the one that was asked for, else the remembered one if it is free, else any free
 * one.
 *
 * @throws {Refusal} `address-taken` when the port that was asked for is not free.
 */
export async function portOf(
  asked: number | undefined,
  remembered: number | null,
): Promise<number> {
  if (asked !== undefined) {
    if (await isFree(asked)) return asked
    throw new Refusal(
      'address-taken',
      'Something else listens at the port of the embedded PostgreSQL. Stop it, or choose another port.',
      { port: asked },
    )
  }
  return remembered !== null && (await isFree(remembered)) ? remembered : freePort()
}

async function isFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) === port
}

async function freePort(): Promise<number> {
  const port = await listenOnce(0)
  if (port === undefined) throw new Error('no loopback port is free')
  return port
}

function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined))
    })
  })
}
