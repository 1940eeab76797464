CREATE TABLE `old_secrets` (
	`digest` text PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`alias` text,
	`hint` text NOT NULL,
	`team_id` text,
	`user_id` text,
	`reason` text NOT NULL,
	`serial` integer NOT NULL,
	`until` integer NOT NULL,
	`at` integer NOT NULL
);
