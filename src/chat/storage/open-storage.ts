import path from 'node:path';
import type { Config } from '../../config/config.js';
import { FolderStorage } from './folder-storage.js';
import { S3Storage } from './s3-storage.js';
import type { Storage } from './storage.js';

/** The bucket that is configured, or else a folder of the data folder. */
export const openStorage = async (config: Config): Promise<Storage> =>
  config.S3_BUCKET ? S3Storage.open(config) : new FolderStorage(path.join(config.data_dir, 'attachments'));
