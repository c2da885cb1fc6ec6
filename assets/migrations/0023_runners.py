"""Tables for runners and what they do; data samples that stay at a runner; kinds of events."""

import assets.common.db.fields
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models

from assets.common.db.operations import ChangeTexts


class Migration(migrations.Migration):

    dependencies = [
        ('assets', '0022_task_inputs_as_sets'),
    ]

    operations = [
        migrations.CreateModel(
            name='Runner',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runners', to='assets.organization', verbose_name='organisation')),
                ('name', models.CharField(help_text="Such as its machine's name.", max_length=100, verbose_name='name')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='creation date')),
                ('revoked_at', models.DateTimeField(editable=False, null=True, verbose_name='revoked')),
                ('last_seen', models.DateTimeField(editable=False, null=True, verbose_name='last seen')),
                ('version', models.CharField(blank=True, editable=False, max_length=50, verbose_name='version')),
                ('engine', models.CharField(blank=True, editable=False, max_length=50, verbose_name='engine')),
            ],
            options={
                'verbose_name': 'runner',
                'verbose_name_plural': 'runners',
                'ordering': ['name', 'id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='runner_has_name'), models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('organization', 'name'), name='runner_one_of_name', violation_error_message='Your organisation has a runner with this name. Choose another.')],
            },
        ),
        migrations.CreateModel(
            name='Trial',
            fields=[
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name='key')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assets.organization', verbose_name='organisation')),
                ('function', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='trials', to='assets.function', verbose_name='function')),
                ('dataset', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='trials', to='assets.dataset', verbose_name='dataset')),
                ('creator', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('fake_samples', models.PositiveIntegerField(default=1, verbose_name='number of data samples')),
                ('creation_date', models.DateTimeField(default=django.utils.timezone.now, verbose_name='creation date')),
                ('status', models.CharField(choices=[('waiting', 'waiting'), ('executing', 'executing'), ('done', 'done'), ('failed', 'failed')], default='waiting', max_length=10, verbose_name='status')),
                ('start_date', models.DateTimeField(null=True, verbose_name='start date')),
                ('end_date', models.DateTimeField(null=True, verbose_name='end date')),
                ('error_type', models.CharField(blank=True, choices=[('BUILD_ERROR', 'building the function failed'), ('EXECUTION_ERROR', 'the function failed'), ('INTERNAL_ERROR', 'the platform failed')], max_length=20, verbose_name='error type')),
                ('performances', models.JSONField(default=dict, verbose_name='performances')),
                ('logs', models.TextField(blank=True, verbose_name='logs')),
            ],
            options={
                'verbose_name': 'dry run',
                'verbose_name_plural': 'dry runs',
                'ordering': ['-creation_date', 'key'],
                'indexes': [models.Index(condition=models.Q(('status', 'waiting')), fields=['organization', 'creation_date'], name='trial_can_run')],
            },
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('key', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False, verbose_name='key')),
                ('runner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='jobs', to='assets.runner', verbose_name='runner')),
                ('task', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='assets.task')),
                ('function', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='assets.function')),
                ('trial', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='assets.trial')),
                ('data_sample', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='jobs', to='assets.datasample')),
                ('losses', models.PositiveIntegerField(default=0)),
                ('claimed_at', models.DateTimeField(verbose_name='start date')),
                ('expires_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(null=True, verbose_name='end date')),
                ('outcome', models.CharField(blank=True, choices=[('done', 'done'), ('failed', 'failed'), ('given_back', 'given back'), ('lost', 'lost'), ('stopped', 'stopped')], max_length=10, verbose_name='outcome')),
            ],
            options={
                'verbose_name': 'job',
                'verbose_name_plural': 'jobs',
                'ordering': ['-claimed_at', 'key'],
                'indexes': [models.Index(condition=models.Q(('ended_at', None)), fields=['expires_at'], name='job_expiring'), models.Index(condition=models.Q(('task__isnull', False)), fields=['task', 'claimed_at'], name='job_of_task'), models.Index(fields=['runner', '-claimed_at'], name='job_of_runner')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('data_sample__isnull', True), ('function__isnull', True), ('task__isnull', False), ('trial__isnull', True)), models.Q(('data_sample__isnull', True), ('function__isnull', False), ('task__isnull', True), ('trial__isnull', True)), models.Q(('data_sample__isnull', True), ('function__isnull', True), ('task__isnull', True), ('trial__isnull', False)), models.Q(('data_sample__isnull', False), ('function__isnull', True), ('task__isnull', True), ('trial__isnull', True)), _connector='OR'), name='job_one_subject'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('outcome', '')), models.Q(models.Q(('ended_at', None), _negated=True), models.Q(('outcome', ''), _negated=True)), _connector='OR'), name='job_ended_with_outcome'), models.UniqueConstraint(condition=models.Q(('ended_at', None), ('task__isnull', False)), fields=('task',), name='job_one_open_a_task'), models.UniqueConstraint(condition=models.Q(('ended_at', None), ('function__isnull', False)), fields=('function',), name='job_one_open_a_function'), models.UniqueConstraint(condition=models.Q(('ended_at', None), ('trial__isnull', False)), fields=('trial',), name='job_one_open_a_trial'), models.UniqueConstraint(condition=models.Q(('data_sample__isnull', False), ('ended_at', None)), fields=('data_sample',), name='job_one_open_a_data_sample')],
            },
        ),
        migrations.CreateModel(
            name='RunPolicy',
            fields=[
                ('organization', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='run_policy', serialize=False, to='assets.organization', verbose_name='organisation')),
                ('policy', models.CharField(choices=[('all', 'everything that is permitted'), ('functions', 'only functions that we have approved'), ('plans', 'only compute plans that we have approved')], default='all', max_length=10, verbose_name='what your runners run')),
            ],
            options={
                'verbose_name': 'run policy',
                'verbose_name_plural': 'run policies',
            },
        ),
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assets.organization', verbose_name='organisation')),
                ('function', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='assets.function', verbose_name='function')),
                ('compute_plan', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='approvals', to='assets.computeplan', verbose_name='compute plan')),
                ('digest', assets.common.db.fields.ChecksumField(max_length=64)),
                ('tasks_until', models.DateTimeField(null=True)),
                ('approved', models.BooleanField(verbose_name='approved')),
                ('reason', models.CharField(blank=True, max_length=1000, verbose_name='reason')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
                ('decided_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='decided')),
            ],
            options={
                'verbose_name': 'approval',
                'verbose_name_plural': 'approvals',
                'ordering': ['-decided_at', 'id'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('function', None), ('compute_plan', None), _connector='XOR'), models.Q(('compute_plan', None), ('tasks_until__isnull', False), _connector='XOR')), name='approval_of_one'), models.UniqueConstraint(condition=models.Q(('compute_plan', None)), fields=('organization', 'digest'), name='approval_one_of_code'), models.UniqueConstraint(condition=models.Q(('function', None)), fields=('organization', 'compute_plan'), name='approval_one_of_plan')],
            },
        ),
        migrations.CreateModel(
            name='ProfilingStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('task', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='assets.task', verbose_name='task')),
                ('function', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='assets.function', verbose_name='function')),
                ('step', models.CharField(max_length=50, verbose_name='step')),
                ('duration', models.BigIntegerField(verbose_name='duration')),
            ],
            options={
                'verbose_name': 'step',
                'verbose_name_plural': 'steps',
                'ordering': ['id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('task', None), ('function', None), _connector='XOR'), name='profilingstep_of_one'), models.CheckConstraint(condition=models.Q(('duration__gte', 0)), name='profilingstep_duration'), models.UniqueConstraint(condition=models.Q(('task__isnull', False)), fields=('task', 'step'), name='profilingstep_once_a_task'), models.UniqueConstraint(condition=models.Q(('function__isnull', False)), fields=('function', 'step'), name='profilingstep_once_a_function')],
            },
        ),
        migrations.CreateModel(
            name='DataSampleCheck',
            fields=[
                ('data_sample', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='found', serialize=False, to='assets.datasample')),
                ('organization', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='assets.organization')),
                ('checksum', assets.common.db.fields.ChecksumField(blank=True, max_length=64)),
                ('size', models.BigIntegerField(default=0)),
                ('problem', models.CharField(blank=True, max_length=1000)),
                ('checked_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('checked_at', None)), fields=['organization', 'data_sample'], name='datasamplecheck_waiting')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('checked_at', None), ('checksum', ''), ('problem', '')), models.Q(models.Q(('checked_at', None), _negated=True), models.Q(('checksum', ''), ('problem', ''), _connector='XOR')), _connector='OR'), name='datasamplecheck_found_or_problem')],
            },
        ),
        migrations.AddField(
            model_name='datasample',
            name='at_runner',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name='datasample',
            name='checksum',
            field=assets.common.db.fields.ChecksumField(blank=True, max_length=64),
        ),
        migrations.AddConstraint(
            model_name='datasample',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('checksum', ''), _negated=True), ('at_runner', True), _connector='XOR'), name='datasample_checksum'),
        ),
        ChangeTexts([
            migrations.AlterField(
                model_name='event',
                name='action',
                field=models.CharField(choices=[('registered', 'registered'), ('renamed', 'renamed'), ('linked', 'linked'), ('started', 'started'), ('ended', 'ended'), ('canceled', 'cancelled'), ('approved', 'approved'), ('declined', 'declined'), ('downloaded', 'downloaded'), ('viewed', 'viewed'), ('signed_in', 'signed in'), ('signed_out', 'signed out'), ('created', 'created'), ('changed', 'changed'), ('removed', 'removed'), ('tried', 'denied')], max_length=20, verbose_name='action'),
            ),
            migrations.AlterField(
                model_name='event',
                name='asset_kind',
                field=models.CharField(choices=[('ASSET_ORGANIZATION', 'organisation'), ('ASSET_DATA_SAMPLE', 'data sample'), ('ASSET_DATA_MANAGER', 'dataset'), ('ASSET_FUNCTION', 'function'), ('ASSET_COMPUTE_TASK', 'task'), ('ASSET_COMPUTE_PLAN', 'compute plan'), ('ASSET_MODEL', 'model'), ('ASSET_PERFORMANCE', 'performance'), ('ASSET_FAILURE_REPORT', 'failure report'), ('user', 'user'), ('token', 'token'), ('runner', 'runner'), ('trial', 'dry run'), ('request', 'request')], max_length=30, verbose_name='asset kind'),
            ),
        ]),
    ]

