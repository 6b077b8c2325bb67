/** What every event log must do, done by topics of real brokers. */
import { afterAll, beforeAll } from 'vitest';
import { eventLogConformance } from '../pipeline/conformance/event-log.ts';
import { type KafkaBroker, startKafka, startKfake } from './kafka/broker.ts';
import { kafkaSubject } from './kafka/log-subject.ts';
import { endAll } from './programs.ts';

const brokers: KafkaBroker[] = [];
let fake: KafkaBroker;
let real: KafkaBroker;
let older: KafkaBroker;

beforeAll(async () => {
  fake = await startKfake();
  real = await startKafka();
  older = await startKafka({ version: '3.9.1' });
  brokers.push(fake, real, older);
});
afterAll(async () => {
  for (const broker of brokers) await broker.close();
  endAll();
});

eventLogConformance('kfake', (setup) => kafkaSubject(fake, setup));
eventLogConformance('Kafka 4', (setup) => kafkaSubject(real, setup));
eventLogConformance('Kafka 3', (setup) => kafkaSubject(older, setup));
