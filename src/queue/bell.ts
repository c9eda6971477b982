/** What both ends of the doorbell agree on: names, payload, and limits. */
import { z } from 'zod'

/** A worker's side; each has a queue of its own. */
export type BellSide = 'key' | 'data'

/** The name of a side's queue. */
export const queueName = (side: BellSide): string => `gyeol-${side}`

/** All that a queue ever carries. Whoever reads or floods a queue learns and changes nothing. */
export const bellSchema = z.strictObject({ jobId: z.uuid() })

/** What a bell carries. */
export type Bell = z.infer<typeof bellSchema>

/** The schema of BullMQ's own tables when the queue is on PostgreSQL. */
export const queueSchema = 'bullmq'
