import type { DeviceKind } from '../../src/common/actor/actor.js';
import { rememberCaller } from './asked.js';
import { unique } from './factory.js';
import type { HttpClient } from './http-client.js';

export interface TestDevice {
  id: number;
  name: string;
  gym_id: number;
  device_number: number;
  device_key: string;
}

/** Registers a device, by its gym's manager. */
export async function makeDevice(
  manager: HttpClient,
  kind: DeviceKind = 'fingerprint',
  mark = '',
): Promise<TestDevice> {
  const { status, body } = await manager.post('/devices', { name: unique(`${kind} ${mark}`), kind });
  if (status !== 201) throw new Error(`POST /devices answered ${status}: ${JSON.stringify(body)}`);
  rememberCaller(body.device_key, { ...body, role: kind });
  return body;
}

/** A template such as a reader makes: some bytes in base64. */
export const newTemplate = (length = 300): string =>
  Buffer.from(Array.from({ length }, () => Math.floor(Math.random() * 256))).toString('base64');
