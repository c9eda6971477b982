import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { doubtedSerials } from '../core/doubt-list.ts'
import { Refusal } from '../core/errors.ts'
import type { Client } from './client.ts'

const ticketSchema = z.object({
  ticket: z.uuid(),
  state: z.enum(['open', 'answered', 'closed']),
  asked: z.int(),
  answered: z.int(),
  hasList: z.boolean(),
})
const ticketsSchema = z.object({ tickets: z.array(ticketSchema) })

/** A ticket that the agency was asked. */
export type AskedTicket = z.infer<typeof ticketSchema>

/** The newest tickets of the agency in a project. */
export async function askTickets(client: Client, project: string): Promise<AskedTicket[]> {
  const path = `/v1/projects/${encodeURIComponent(project)}/tickets`
  return (await client.ask('GET', path, { schema: ticketsSchema })).tickets
}

/**
 * Fetches the list of every ticket that still has one: CSV, `case,serial_a,serial_b`, of mode 0600, named after the ticket.
 *
 * @returns the files.
 */
export async function fetchQuestions(
  client: Client,
  tickets: readonly AskedTicket[],
  dir: string,
): Promise<string[]> {
  const files: string[] = []
  for (const { ticket } of tickets.filter(({ hasList }) => hasList)) {
    const file = join(dir, `${ticket}.csv`)
    await client.save(`/v1/tickets/${ticket}/questions`, file)
    files.push(file)
  }
  return files
}

/**
 * Sends the answers to a ticket: CSV, `case,answer`, same, not-same or unknown.
 *
 * @throws {Refusal} `not-found` for a file that cannot be read; whatever the service refuses.
 */
export async function sendAnswers(client: Client, ticket: string, path: string): Promise<void> {
  await client.put(`/v1/tickets/${encodeURIComponent(ticket)}/answers`, await csvBody(path))
}

/**
 * Says whose links the agency doubts: CSV, one column `serial`. A later list counts instead until a linkage has read one.
 * What is no list, or too long a one, is not sent.
 *
 * @throws {Refusal} as `doubtedSerials`, and as `sendAnswers`.
 */
export async function sendDoubts(client: Client, project: string, path: string): Promise<void> {
  doubtedSerials((await bytesOf(path)).toString())
  await client.put(`/v1/projects/${encodeURIComponent(project)}/doubts`, await csvBody(path))
}

async function csvBody(path: string): Promise<Parameters<Client['put']>[1]> {
  const bytes = await bytesOf(path)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { path, bytes: bytes.length, mediaType: 'text/csv', sha256 }
}

function bytesOf(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new Refusal(
      'not-found',
      'A file that was named cannot be read. Check its path.',
      {},
      { cause },
    )
  })
}
