CREATE TABLE `members` (
	`kind` text NOT NULL,
	`id` text NOT NULL,
	`user_id` text NOT NULL,
	`role` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`kind`, `id`, `user_id`)
);
--> statement-breakpoint
ALTER TABLE `holders` ADD `role` text;